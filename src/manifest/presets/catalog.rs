//! The built-in presets.

/// The preset names, which are the values of `format`, and their texts.
pub(super) const PRESETS: [(&str, &str); 5] = [
    ("canvas", include_str!("canvas.yaml")),
    ("oneroster", include_str!("oneroster.yaml")),
    ("moodle", include_str!("moodle.yaml")),
    ("buddypress", include_str!("buddypress.yaml")),
    ("wordpress", include_str!("wordpress.yaml")),
];

pub(in super::super) fn names() -> [&'static str; PRESETS.len()] {
    PRESETS.map(|(name, _)| name)
}
