//! What the figures were measured on.

use crate::run::{command, output_of};

/// Processor, memory and system, a line each.
pub(super) fn describe() -> Vec<String> {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let processor = read("/proc/cpuinfo");
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let name = field(&processor, "model name").unwrap_or("a processor");
    let vectors = match field(&processor, "flags").unwrap_or_default() {
        flags if flags.contains("avx512f") => " with AVX-512",
        flags if flags.contains("avx2") => " with AVX2",
        _ => "",
    };
    let mut lines = vec![format!("{name}{vectors}, {threads} cores")];
    let kilobytes = field(&read("/proc/meminfo"), "MemTotal")
        .and_then(|size| size.split_whitespace().next()?.parse::<u64>().ok());
    if let Some(kilobytes) = kilobytes {
        lines.push(format!("{} GiB", kilobytes.div_ceil(1 << 20)));
    }
    let system = read("/etc/os-release");
    let system = system
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="));
    lines.extend(system.map(|name| name.trim_matches('"').to_owned()));
    lines.extend(output_of(command("rustc").arg("--version")));
    lines
}

/// The value of the first line `NAME : VALUE`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then_some(value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn fields_are_found() {
        let text = "processor\t: 0\nmodel name\t: A: fast one\nmodel name : B\n";
        assert_eq!(field(text, "model name"), Some("A: fast one"));
        assert_eq!(field(text, "flags"), None);
    }
}
