//! The filters of templates, with limits on their output.

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, escape_formatter};

use super::slug::slug;

/// Maximum number of steps to render a template; a title needs a few dozen.
const FUEL: u64 = 10_000;
/// Maximum length of a template, a filtered text or a result, in bytes.
pub(super) const LONGEST: usize = 64 << 10;

/// Creates an environment that has only the filters allowed in a manifest.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    // The library writes `True`, but manifests and output use `true`. Only a boolean that is joined
    // to a text with `~` is still written as `True`.
    environment.set_formatter(|out, state, value| match value.kind() {
        ValueKind::Bool => out
            .write_str(if value.is_true() { "true" } else { "false" })
            .map_err(Error::from),
        _ => escape_formatter(out, state, value),
    });
    environment.add_filter("lower", |text: &str| bounded(text.to_lowercase()));
    environment.add_filter("upper", |text: &str| bounded(text.to_uppercase()));
    environment.add_filter("trim", |text: &str| bounded(text.trim().to_owned()));
    environment.add_filter("title", |text: &str| bounded(title(text)));
    environment.add_filter("slug", |text: &str| bounded(slug(text)));
    environment.add_filter("replace", |text: &str, from: &str, to: &str| {
        let count = text.matches(from).count();
        let added = count.saturating_mul(to.len().saturating_sub(from.len()));
        match text.len().saturating_add(added) > LONGEST {
            true => Err(too_long()),
            false => Ok(text.replace(from, to)),
        }
    });
    environment
}

/// Capitalizes each word.
fn title(text: &str) -> String {
    let mut inside = false;
    let mut titled = String::with_capacity(text.len());
    for c in text.chars() {
        match inside {
            true => titled.extend(c.to_lowercase()),
            false => titled.extend(c.to_uppercase()),
        }
        inside = c.is_alphanumeric() || (inside && matches!(c, '\'' | '’'));
    }
    titled
}

pub(super) fn bounded(text: String) -> Result<String, Error> {
    match text.len() > LONGEST {
        true => Err(too_long()),
        false => Ok(text),
    }
}

fn too_long() -> Error {
    Error::new(ErrorKind::InvalidOperation, "the text is too long")
}
