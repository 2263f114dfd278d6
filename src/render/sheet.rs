//! Splits names such as `book.xlsx#Pupils`. Tools that open an annotated file need its path.

/// Returns the path of a file. For a sheet, this is the path of its workbook.
pub(super) fn path_of(name: &str) -> &str {
    let mut paths = name.match_indices('#').map(|(end, _)| name.split_at(end).0);
    let is_workbook = |path: &&str| {
        let extension = path.rsplit('.').next().unwrap_or_default();
        ["xlsx", "xlsm", "xls"]
            .iter()
            .any(|it| extension.eq_ignore_ascii_case(it))
    };
    paths.find(is_workbook).unwrap_or(name)
}

/// Adds the name of a sheet to a message about it, unless the message has it.
pub(super) fn name_sheet(name: &str, message: String) -> String {
    match path_of(name) == name || message.contains(name) {
        true => message,
        false => format!("{name}: {message}"),
    }
}
