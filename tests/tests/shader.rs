//! The page's shader, on this machine's GPU: NumPy's logits, and those of the CPU over shapes.

use propense_model::{Bundle, GpuModel, ModelConfig, ModelError};
use propense_tests::{
    Numbers, ON_GPU, difference, fresh_bundle, golden_cases, page_gpu, relative_difference, shapes,
    wait,
};

fn on(gpu: &(wgpu::Device, wgpu::Queue), bundle: &Bundle) -> Result<GpuModel, ModelError> {
    let (device, queue) = gpu;
    bundle.gpu_model(device, queue)
}

#[test]
fn the_shader_gives_the_golden_logits() {
    let Some(gpu) = page_gpu() else { return };
    for case in golden_cases() {
        let model = on(&gpu, &case.load()).expect("it fits");
        let mut stream = model.stream();
        let batch = case.batch(model.config());
        let whole = wait(model.score(&batch)).expect("the device works");
        let streamed: Vec<f32> = case
            .sessions
            .iter()
            .map(|session| {
                stream.reset();
                assert!(stream.is_empty());
                for row in &session.rows {
                    stream.push(row);
                }
                assert_eq!(stream.len(), session.rows.len());
                wait(stream.logit(&session.context)).expect("the device works")
            })
            .collect();
        let expected = case.expected();
        for (way, found) in [("batch", whole), ("stream", streamed)] {
            let worst = difference(&found, &expected);
            println!("{} by {way}: {worst:.1e}", case.name);
            assert!(worst <= ON_GPU, "{} by {way}: {worst:e}", case.name);
        }
    }
}

#[test]
fn the_shader_agrees_with_the_cpu_over_shapes() {
    let Some(gpu) = page_gpu() else { return };
    for shape in shapes() {
        let config = &shape.bundle.manifest.model;
        let model = on(&gpu, &shape.bundle).expect("it fits");
        let found = wait(model.score(&shape.batch())).expect("works");
        let worst = relative_difference(&found, &shape.expected());
        assert!(worst <= ON_GPU, "{config:?}: {worst:e}");
    }
}

#[test]
fn a_logit_is_that_of_the_moment_it_was_asked_for() {
    let Some(gpu) = page_gpu() else { return };
    let config = ModelConfig::seed(16, 4);
    let bundle = fresh_bundle(&config, 9);
    let model = on(&gpu, &bundle).expect("it fits");
    let reference = bundle.cpu_model().expect("valid");
    let mut numbers = Numbers(2);
    let (rows, context) = (numbers.rows(3, 16), numbers.row(4));
    let mut stream = model.stream();
    stream.push(&rows[0]);
    let early = stream.logit(&context);
    stream.push(&rows[1]);
    stream.push(&rows[2]);
    let late = stream.logit(&context);
    // Asked for later, answered first.
    for (found, events) in [(wait(late), 3), (wait(early), 1)] {
        let expected = reference.score(&rows[..events].concat(), &context);
        let found = found.expect("the device works");
        assert!(
            (found - expected).abs() <= ON_GPU,
            "{events} events: {found} beside {expected}"
        );
    }
}

#[test]
fn a_network_too_large_for_the_shader_is_an_error() {
    let Some(gpu) = page_gpu() else { return };
    let config = ModelConfig {
        hidden: 257,
        ..ModelConfig::seed(8, 0)
    };
    let error = on(&gpu, &fresh_bundle(&config, 1)).expect_err("too many units");
    assert!(matches!(error, ModelError::NoGpu { .. }), "{error:?}");
}
