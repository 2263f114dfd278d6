//! Templates: texts with `{{ names }}`, rendered from a row of a file or from a room's own fields.
//!
//! Main type: [`Template`]. It allows only expressions, `{% if %}` and a few filters, but no files,
//! network or loops. So the work is bounded by the length of the text and its values.

mod slug;

pub(super) use minijinja::Value;
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, escape_formatter};

pub(super) use self::slug::slug;
use crate::tables::diagnostic::{Code, Mistake, Problems, clip};
use crate::tables::source::Spanned;

/// The template's name inside its environment.
const NAME: &str = "template";
const TAGS: [&str; 4] = ["if", "elif", "else", "endif"];
/// Maximum number of steps to render a template; a title needs a few dozen.
const FUEL: u64 = 10_000;
/// Maximum length of a template, a filtered text or a result, in bytes.
const LONGEST: usize = 64 << 10;

#[derive(Debug)]
pub(super) struct Template {
    text: String,
    /// `None` if the text has no placeholders.
    environment: Option<Environment<'static>>,
    names: Vec<String>,
}

impl Template {
    /// Compiles a template. The message of an error starts with `what`.
    pub(super) fn compile(text: &Spanned<String>, what: &str, problems: &Problems) -> Option<Self> {
        let template = Self::new(&text.value);
        let bad = |why: Mistake| why.to_diagnostic(Code::BadTemplate, text.at, what);
        let template = template.map_err(|why| problems.push(bad(why)));
        template.ok()
    }

    fn new(text: &str) -> Result<Self, Mistake> {
        if text.len() > LONGEST {
            let message = "a template has at most 64 KiB";
            return Err(Mistake::new(message, "write a shorter one"));
        }
        let mut template = Self {
            text: text.to_owned(),
            environment: None,
            names: Vec::new(),
        };
        if !has_placeholder(text) {
            return Ok(template);
        }
        if let Some(tag) = foreign_tag(text) {
            let tag = clip(tag);
            let message = format!("`{{% {tag} %}}` is not allowed in templates of a manifest");
            let hint = "use {{ column }}, filters, and {% if column %} … {% else %} … {% endif %}";
            return Err(Mistake::new(message, hint));
        }
        let mut environment = environment();
        let added = environment.add_template_owned(NAME, text.to_owned());
        added.map_err(template_error)?;
        let names = environment.get_template(NAME).map_err(template_error)?;
        let names = names.undeclared_variables(false);
        template.names = names.into_iter().collect();
        template.names.sort();
        // Render once: only then does the library report an unknown filter.
        let rendered = render(&environment, &template.names, |_| Some(Value::from("x")));
        if let Err(error) = rendered
            && error.kind() == ErrorKind::UnknownFilter
        {
            return Err(template_error(error));
        }
        template.environment = Some(environment);
        Ok(template)
    }

    /// Returns the names that the template uses, sorted.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the names whose values are always in the output. Such a name is a whole expression,
    /// with or without filters. A text with conditions has none.
    pub(super) fn bare_names(&self) -> Vec<String> {
        if self.is_conditional() {
            return Vec::new();
        }
        let inside = self.text.split("{{").skip(1);
        let first = inside.filter_map(|inside| {
            let expression = inside.split("}}").next()?;
            let name = expression.split('|').next()?.trim_matches(['-', '+', ' ']);
            self.names.iter().find(|known| *known == name).cloned()
        });
        first.collect()
    }

    /// Whether the template has a condition. If it has one, an empty result may be intended.
    pub(super) fn is_conditional(&self) -> bool {
        self.environment.is_some() && self.text.contains("{%")
    }

    /// Renders the template with the values of names; a name without a value is an error.
    pub(super) fn render(&self, value: impl Fn(&str) -> Option<Value>) -> Result<String, Mistake> {
        let Some(environment) = &self.environment else {
            return Ok(self.text.clone());
        };
        let rendered = render(environment, &self.names, value);
        rendered.and_then(bounded).map_err(template_error)
    }
}

fn render(
    environment: &Environment<'_>,
    names: &[String],
    value: impl Fn(&str) -> Option<Value>,
) -> Result<String, Error> {
    let values = names.iter();
    let values = values.filter_map(|name| Some((name.as_str(), value(name)?)));
    let context = Value::from_pairs(values);
    environment.get_template(NAME)?.render(context)
}

/// Creates an environment that has only the filters allowed in a manifest.
fn environment() -> Environment<'static> {
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

fn bounded(text: String) -> Result<String, Error> {
    match text.len() > LONGEST {
        true => Err(too_long()),
        false => Ok(text),
    }
}

fn too_long() -> Error {
    Error::new(ErrorKind::InvalidOperation, "the text is too long")
}

/// Returns a template that renders to exactly this text.
pub fn verbatim(text: &str) -> String {
    match has_placeholder(text) {
        true => text.replace('{', "{{ '{' }}"),
        false => text.to_owned(),
    }
}

fn has_placeholder(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|open| text.contains(open))
}

/// Returns the first tag that is not allowed. For example, loops are not allowed, because they
/// could run without limit.
fn foreign_tag(text: &str) -> Option<&str> {
    let mut tags = text.split("{%").skip(1).map(|inside| {
        let inside = inside.trim_start_matches(['-', '+']).trim_start();
        let mut words = inside.split(|c: char| !c.is_alphanumeric() && c != '_');
        words.next().unwrap_or_default()
    });
    tags.find(|tag| !TAGS.contains(tag))
}

fn template_error(error: Error) -> Mistake {
    let detail = error.detail().map(clip).unwrap_or_default();
    let (message, hint) = match error.kind() {
        ErrorKind::UndefinedError => (
            "a name in it has no value".to_owned(),
            "use the names of columns; {% if name %} is true if the cell is not empty",
        ),
        ErrorKind::UnknownFilter => (
            format!("no such filter: {detail}"),
            "use one of the filters lower, upper, trim, replace, slug and title",
        ),
        ErrorKind::OutOfFuel => ("it takes too many steps".to_owned(), "write a simpler one"),
        kind => (
            if detail.is_empty() {
                kind.to_string()
            } else {
                detail
            },
            "write it as \"{{ column }}\" or \"{{ column | slug }}\"",
        ),
    };
    Mistake::new(message, hint)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on fails at once")]

    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        let template = Template::new(text).map_err(|error| error.message)?;
        let value = |name: &str| match name {
            "name" => Some(Value::from("Алгебра 7б")),
            "empty" => Some(Value::from("")),
            "public" => Some(Value::from(true)),
            "row" => Some(Value::from_pairs([("Course Name", "Rust")])),
            _ => None,
        };
        template.render(value).map_err(|error| error.message)
    }

    #[test]
    fn names_filters_and_conditions() {
        for (text, expected) in [
            ("plain { text }", "plain { text }"),
            ("{{ name }} · {{ name | upper }}", "Алгебра 7б · АЛГЕБРА 7Б"),
            ("{{ name | slug }}", "algebra-7b"),
            (
                "{{ 'Письмо, объём & Ñandú 中文 user@x' | slug }}",
                "pismo-obiom-nandu-zhong-wen-user-x",
            ),
            ("{{ \"o'neill's ОТЧЁТ\" | title }}", "O'neill's Отчёт"),
            (
                "{{ name | lower | replace('7', '8') | trim }}",
                "алгебра 8б",
            ),
            ("{% if empty %}x{% else %}-{% endif %}", "-"),
            ("{%- if public -%} open {%- endif -%}", "open"),
            ("{% if not public %}closed{% else %}open{% endif %}", "open"),
            // Booleans are written as in a manifest, not as in Python.
            ("{{ public }} {{ not public }}", "true false"),
            ("{{ public == true }} {{ false }}", "true false"),
            ("{{ row['Course Name'] }}", "Rust"),
            ("{# nothing #}", ""),
        ] {
            assert_eq!(filled(text), Ok(expected.to_owned()), "{text}");
        }
        let template = Template::new("{{ b }}{% if a %}{{ c | lower }}{% endif %}").unwrap();
        assert_eq!(template.names(), ["a", "b", "c"]);
        assert!(template.bare_names().is_empty());
        assert!(template.is_conditional());
        let template = Template::new("{{- b }}{{ a or c }}-{{c|lower}}").unwrap();
        assert_eq!(template.bare_names(), ["b", "c"]);
    }

    #[test]
    fn any_text_can_be_written_as_a_template() {
        for text in [
            "plain",
            "{{ name }}",
            "{{{%{# x #}%}}}",
            "{",
            "{ { %",
            "a {%- if %}",
            "'{' \"{{\" \\ \n end",
        ] {
            assert_eq!(filled(&verbatim(text)), Ok(text.to_owned()), "{text}");
        }
    }

    #[test]
    fn unknown_names_and_loops_are_refused() {
        for (text, expected) in [
            ("{{ nam }}", "a name in it has no value"),
            ("{{ row.x }}", "a name in it has no value"),
            (
                "{{ name | sluug }}",
                "no such filter: filter sluug is unknown",
            ),
            (
                "{% for i in name %}x{% endfor %}",
                "`{% for %}` is not allowed in templates of a manifest",
            ),
            (
                "{% set x = name ~ name %}",
                "`{% set %}` is not allowed in templates of a manifest",
            ),
            (
                "{%+ include 'x' %}",
                "`{% include %}` is not allowed in templates of a manifest",
            ),
            ("{{ 'x' * 900000000 }}", "too many steps"),
            ("{{ range(9) }}", "range is unknown"),
        ] {
            let message = filled(text).unwrap_err();
            assert!(message.contains(expected), "{text}: {message}");
        }
        assert!(filled("{{ name").is_err() && filled("{{ name | }}").is_err());
        let doubled = "{{ 'a'".to_owned() + &" | replace('a', 'aa')".repeat(60) + " }}";
        assert_eq!(filled(&doubled), Err("the text is too long".to_owned()));
        assert_eq!(
            filled(&"x".repeat(70_000)),
            Err("a template has at most 64 KiB".to_owned())
        );
    }
}
