//! Stands in for `workbook` in a build that cannot read workbooks.

use super::encoding::NoText;
use super::input::SheetName;

/// The text of a sheet.
#[derive(Debug, Default)]
pub(crate) struct SheetText {
    pub(crate) text: String,
    pub(crate) inexact: Vec<(u32, usize)>,
}

/// Reports that this build has no workbooks.
pub(crate) fn read_sheet(_: &[u8], _: Option<&SheetName>) -> Result<SheetText, NoText> {
    Err(NoText {
        message: "this roomform was built without Excel workbooks".to_owned(),
        hint: "build it with the feature xlsx, which is on by default; or export the sheet as CSV"
            .to_owned(),
    })
}
