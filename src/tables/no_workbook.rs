//! Replaces the module `workbook` in a build without Excel support.

use super::diagnostic::Mistake;
use super::header::UnusableCells;
use super::input::SheetName;

/// Returns an error: this build cannot read workbooks.
pub(crate) fn read_sheet(
    _: &[u8],
    _: Option<&SheetName>,
) -> Result<(String, String, UnusableCells), Mistake> {
    let message = "this build of roomform cannot read Excel workbooks";
    let hint = "build it with the feature xlsx, which is on by default; or export the sheet as CSV";
    Err(Mistake::new(message, hint))
}
