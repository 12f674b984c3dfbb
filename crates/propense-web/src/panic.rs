//! Panics made readable. Nothing here panics on purpose; should something do so all the same, the
//! page is told in words, and calls that wait for the module can be rejected: a trap inside a
//! promise would otherwise leave it waiting for ever.

use std::cell::RefCell;
use std::panic::PanicHookInfo;

use js_sys::Function;
use wasm_bindgen::prelude::*;

thread_local! {
    static LISTENER: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Has `callback(message)` called when this module panics. The module is unusable afterwards.
#[wasm_bindgen]
pub fn on_panic(callback: Function) {
    LISTENER.with(|listener| *listener.borrow_mut() = Some(callback));
    std::panic::set_hook(Box::new(tell));
}

fn tell(info: &PanicHookInfo<'_>) {
    let message = JsValue::from_str(&info.to_string());
    LISTENER.with(|listener| {
        // A second panic inside the first would abort without a word: only try.
        if let Ok(listener) = listener.try_borrow()
            && let Some(callback) = listener.as_ref()
        {
            // The listener is the module's own TypeScript, which does not throw.
            let _ = callback.call1(&JsValue::UNDEFINED, &message);
        }
    });
}
