//! A machine without a GPU: asking for one is an error with a remedy, not a panic.

use std::process::Command;

use propense_model::{ModelError, gpu_device};

/// Set in the child process that sees no graphics driver.
const CHILD: &str = "PROPENSE_TEST_WITHOUT_GPU";

#[test]
fn without_a_driver_there_is_a_typed_error() {
    if std::env::var_os(CHILD).is_some() {
        let error = gpu_device().expect_err("there is no driver to be found");
        assert!(matches!(error, ModelError::NoGpu { .. }), "{error:?}");
        assert!(error.to_string().contains("--device cpu"));
        // A second question gets the same answer.
        assert_eq!(gpu_device().expect_err("still none"), error);
        return;
    }
    // Drivers are found through these on Linux; elsewhere they cannot be hidden.
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: only Linux lets a test hide its graphics drivers");
        return;
    }
    let nowhere = "/nonexistent/propense";
    let output = Command::new(std::env::current_exe().expect("this test's binary"))
        .args(["--exact", "without_a_driver_there_is_a_typed_error"])
        .env(CHILD, "1")
        .env("VK_DRIVER_FILES", nowhere)
        .env("VK_ICD_FILENAMES", nowhere)
        .env("__EGL_VENDOR_LIBRARY_FILENAMES", nowhere)
        .env("LIBGL_DRIVERS_PATH", nowhere)
        .output()
        .expect("the test runs itself");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
