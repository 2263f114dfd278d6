//! The filters of templates, each bounded in what it makes.

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, escape_formatter};

/// Steps one rendering may take; a title needs some dozens.
const FUEL: u64 = 10_000;
/// Bytes a template, a filtered text or a result may have.
pub(super) const LONGEST: usize = 64 << 10;

/// An environment with the filters of the language and nothing else.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    // The library writes `True`; a manifest, and all that is printed of it, has `true`. This is for a flag by itself: what is
    // joined to a text (`~`) the library writes its own way.
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
        let most = text.len().saturating_add(
            text.matches(from)
                .count()
                .saturating_mul(to.len().saturating_sub(from.len())),
        );
        if most > LONGEST {
            return Err(too_long());
        }
        Ok(text.replace(from, to))
    });
    environment
}

/// Letters, digits and dashes of ASCII: `Алгебра 7б` is `algebra-7b`. Signs that only soften a letter are left out.
pub(in crate::manifest) fn slug(text: &str) -> String {
    let spoken = |c: &char| !matches!(c, 'ь' | 'ъ' | 'Ь' | 'Ъ' | '\'' | '’' | 'ʼ');
    slug::slugify(text.chars().filter(spoken).collect::<String>())
}

/// Each word with a capital.
fn title(text: &str) -> String {
    let mut inside = false;
    let mut titled = String::with_capacity(text.len());
    for c in text.chars() {
        if inside {
            titled.extend(c.to_lowercase());
        } else {
            titled.extend(c.to_uppercase());
        }
        inside = c.is_alphanumeric() || (inside && matches!(c, '\'' | '’'));
    }
    titled
}

pub(super) fn bounded(text: String) -> Result<String, Error> {
    if text.len() > LONGEST {
        Err(too_long())
    } else {
        Ok(text)
    }
}

fn too_long() -> Error {
    Error::new(ErrorKind::InvalidOperation, "the text is too long")
}
