//! The presets that are built in.

/// Their names, which `format` takes, and their texts.
pub(super) const PRESETS: [(&str, &str); 3] = [
    ("canvas", include_str!("canvas.yaml")),
    ("oneroster", include_str!("oneroster.yaml")),
    ("moodle", include_str!("moodle.yaml")),
];

/// The column of roles.
pub(super) const ROLE: &str = "role";

pub(in super::super) fn names() -> [&'static str; PRESETS.len()] {
    PRESETS.map(|(name, _)| name)
}
