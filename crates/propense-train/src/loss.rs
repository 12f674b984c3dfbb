//! The loss on tensors.

use burn::tensor::{Tensor, activation};

/// Binary cross-entropy with logits, `max(x, 0) − x·y + ln(1 + e^−|x|)`: no term overflows.
pub(crate) fn cross_entropy(logits: Tensor<2>, labels: Tensor<2>) -> Tensor<2> {
    let tail = logits.clone().abs().neg().exp().log1p();
    activation::relu(logits.clone()) - logits * labels + tail
}
