//! Writes any text in ASCII letters, digits and dashes.
//!
//! Main entry: [`slug`]. A pipe never changes, so each letter must always give the same result.
//! Tests check the results for whole alphabets.

use any_ascii::any_ascii_char;
use deunicode::deunicode_char;

/// Reduces a text to ASCII letters, digits and dashes: `Алгебра 7б` becomes `algebra-7b`.
pub(in crate::manifest) fn slug(text: &str) -> String {
    let spelled: String = text.chars().map(spell).collect();
    let mut slug = String::with_capacity(spelled.len());
    // Apostrophes and soft signs are left out, and do not end the word. Any other character
    // that is not a letter or digit ends the word.
    for c in spelled.chars().filter(|c| !matches!(c, '\'' | '`')) {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

/// Writes a character in ASCII. `deunicode` comes first, because existing pipes depend on its
/// results. `any_ascii` is used if `deunicode` has no result, or one with an apostrophe, as for
/// Kazakh and Georgian.
fn spell(c: char) -> &'static str {
    let spelled = deunicode_char(c).unwrap_or("-");
    let is_clean =
        spelled.contains(|c: char| c.is_ascii_alphanumeric()) && !spelled.contains(['\'', '`']);
    match c.is_alphabetic() && !is_clean {
        true => any_ascii_char(c),
        false => spelled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A language, its letters, and their results. `_` means that a letter has no result.
    const ALPHABETS: [(&str, &str, &str); 11] = [
        (
            "Russian",
            "а б в г д е ё ж з и й к л м н о п р с т у ф х ц ч ш щ ъ ы ь э ю я",
            "a b v g d e io zh z i i k l m n o p r s t u f kh ts ch sh shch _ y _ e iu ia",
        ),
        (
            "Ukrainian",
            "а б в г ґ д е є ж з и і ї й к л м н о п р с т у ф х ц ч ш щ ь ю я ’ ʼ '",
            "a b v g g d e ie zh z i i yi i k l m n o p r s t u f kh ts ch sh shch _ iu ia _ _ _",
        ),
        (
            "Belarusian",
            "а б в г д е ё ж з і й к л м н о п р с т у ў ф х ц ч ш ы ь э ю я",
            "a b v g d e io zh z i i k l m n o p r s t u u f kh ts ch sh y _ e iu ia",
        ),
        (
            "Kazakh",
            "а ә б в г ғ д е ё ж з и й к қ л м н ң о ө п р с т у ұ ү ф х һ ц ч ш щ ъ ы і ь э ю я",
            "a a b v g gh d e io zh z i i k q l m n ng o o p r s t u u u f kh h ts ch sh shch _ y i _ e iu ia",
        ),
        (
            "Kyrgyz",
            "а б в г д е ё ж з и й к л м н ң о ө п р с т у ү ф х ц ч ш щ ъ ы ь э ю я",
            "a b v g d e io zh z i i k l m n ng o o p r s t u u f kh ts ch sh shch _ y _ e iu ia",
        ),
        (
            "Tatar",
            "а ә б в г д е ё ж җ з и й к л м н ң о ө п р с т у ү ф х һ ц ч ш щ ъ ы ь э ю я",
            "a a b v g d e io zh j z i i k l m n ng o o p r s t u u f kh h ts ch sh shch _ y _ e iu ia",
        ),
        (
            "Georgian",
            "ა ბ გ დ ე ვ ზ თ ი კ ლ მ ნ ო პ ჟ რ ს ტ უ ფ ქ ღ ყ შ ჩ ც ძ წ ჭ ხ ჯ ჰ",
            "a b g d e v z t i k l m n o p zh r s t u p k gh q sh ch ts dz c ch x j h",
        ),
        (
            "Armenian",
            "ա բ գ դ ե զ է ը թ ժ ի լ խ ծ կ հ ձ ղ ճ մ յ ն շ ո չ պ ջ ռ ս վ տ ր ց ւ փ ք օ ֆ և",
            "a b g d e z e e t zh i l kh ts k h dz gh ch m y n sh o ch p j rh s v t r ts w p k o f ew",
        ),
        (
            "Greek",
            "α β γ δ ε ζ η θ ι κ λ μ ν ξ ο π ρ σ ς τ υ φ χ ψ ω ά έ ή ί ό ύ ώ ϊ ϋ ΐ ΰ",
            "a b g d e z e th i k l m n x o p r s s t u ph kh ps o a e e i o u o i u i u",
        ),
        (
            "Turkish",
            "a b c ç d e f g ğ h ı i j k l m n o ö p r s ş t u ü v y z â î û İ",
            "a b c c d e f g g h i i j k l m n o o p r s s t u u v y z a i u i",
        ),
        (
            "Serbian",
            "а б в г д ђ е ж з и ј к л љ м н њ о п р с т ћ у ф х ц ч џ ш",
            "a b v g d dj e zh z i j k l lj m n nj o p r s t tsh u f kh ts ch dzh sh",
        ),
    ];

    /// The letters whose capital gives another result than the small letter. Georgian has no
    /// capitals in ordinary text.
    const OTHER_CAPITALS: [(char, &str); 5] = [
        ('є', "e"),
        ('ξ', "ks"),
        ('წ', "ts"),
        ('ჭ', "ch"),
        ('ხ', "kh"),
    ];

    #[test]
    fn every_letter_keeps_its_result() {
        for (language, letters, expected) in ALPHABETS {
            assert_eq!(letters.split(' ').count(), expected.split(' ').count());
            for (letter, expected) in letters.split(' ').zip(expected.split(' ')) {
                let within_a_word = |letter: &str| slug(&format!("x{letter}x"));
                let result = |expected: &str| format!("x{}x", expected.trim_matches('_'));
                assert_eq!(
                    within_a_word(letter),
                    result(expected),
                    "{language} {letter}"
                );
                let mut other = OTHER_CAPITALS.iter();
                let other = other.find(|(small, _)| letter.starts_with(*small));
                let expected = other.map_or(expected, |(_, capital)| capital);
                let capital = letter.to_uppercase();
                assert_eq!(
                    within_a_word(&capital),
                    result(expected),
                    "{language} {capital}"
                );
            }
        }
    }

    #[test]
    fn words_stay_whole_and_everything_else_becomes_a_dash() {
        for (text, expected) in [
            ("Алгебра 7б", "algebra-7b"),
            ("Қазақ", "qazaq"),
            ("Әдебиет", "adebiet"),
            ("Ұлттық", "ulttyq"),
            ("Ґанок", "ganok"),
            ("съезд", "sezd"),
            ("объект", "obekt"),
            ("җөмлә", "jomla"),
            ("თბილისი", "tbilisi"),
            ("Azərbaycan", "azerbaycan"),
            ("O‘zbek tili, oʻqish", "ozbek-tili-oqish"),
            ("O'Brien’s rock`n`roll", "obriens-rocknroll"),
            ("中文課", "zhong-wen-ke"),
            ("日本語クラス", "ri-ben-yu-kurasu"),
            ("한국어", "hangugeo"),
            ("हिन्दी", "hindii"),
            ("Школа № 5 «Б»", "shkola-no-5-b"),
            ("_a\u{a0}b—c_ ", "a-b-c"),
            ("½ 😀", "1-2-grinning"),
            ("--", ""),
            ("", ""),
        ] {
            assert_eq!(slug(text), expected, "{text}");
        }
    }
}
