//! `DXGKQAITYPE_UMDRIVERPRIVATE`: what any process may know of the adapter.

use carillon_hw::regs::DoorbellModel;

use super::output::Output;
use crate::error::Result;
use crate::surface::{Level, Surface};

/// Version of the answer that this driver gives.
pub const VERSION: u32 = 1;
/// Bytes of the answer: four 32-bit words.
pub const BYTES: usize = 16;
/// Byte offset of the version.
pub const VERSION_OFFSET: usize = 0;
/// Byte offset of the doorbell model: 0 dedicated, 1 global.
pub const MODEL_OFFSET: usize = 4;
/// Byte offset of the number of doorbell pages.
pub const DOORBELLS_OFFSET: usize = 8;
/// Byte offset of a word that is 1 if queues can be created for user-mode submission, else 0.
pub const USER_MODE_SUBMISSION_OFFSET: usize = 12;

/// Fills the answer. There is no input: what a process passes is not looked at.
pub(super) fn answer(surface: &Surface, out: &mut [u8]) -> Result {
    let mut out = Output::cleared(out, BYTES)?;
    out.u32(VERSION_OFFSET, VERSION);
    let model = match surface.doorbell_model() {
        DoorbellModel::Dedicated => 0,
        DoorbellModel::Global => 1,
    };
    out.u32(MODEL_OFFSET, model);
    out.u32(DOORBELLS_OFFSET, surface.doorbells());
    let user_mode = surface.offers(Level::UserModeSubmission);
    out.u32(USER_MODE_SUBMISSION_OFFSET, user_mode.into());
    Ok(())
}
