//! The escape DDI: private requests of a tool.

use carillon_core::adapter::EscapeCaller;
use carillon_core::error::{Error, Result};
use carillon_ddi::{D3DDDI_ESCAPEFLAGS, DXGKARG_ESCAPE, HANDLE, NTSTATUS};
use carillon_hw::escape::EscapeData;
use zerocopy::IntoBytes as _;

use super::arguments::{PrivateData, answer, input};
use crate::adapter::Running;
use crate::irql;

/// `DxgkDdiEscape`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_escape`; whatever is wrong with
/// a request is `STATUS_INVALID_PARAMETER`, one of the statuses that it lists.
pub(crate) unsafe extern "win64" fn escape(
    adapter: HANDLE,
    escape: *const DXGKARG_ESCAPE,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(escape) };
    answer(arguments.and_then(|arguments| {
        check_flags(arguments.Flags)?;
        // SAFETY: the page: NULL or `PrivateDriverDataSize` bytes, which dxgkrnl has captured.
        let data = unsafe {
            PrivateData::<{ EscapeData::BYTES }>::copy(
                arguments.pPrivateDriverData,
                arguments.PrivateDriverDataSize,
            )
        }?;
        let caller = EscapeCaller {
            device: arguments.hDevice.addr() as u64,
            context: arguments.hContext.addr() as u64,
            process: arguments.hKmdProcessHandle.addr() as u64,
        };
        let adapter = Running::of_context(adapter)?;
        let reply = adapter.escape(passive, &caller, data.as_slice())?;
        let output = arguments.pPrivateDriverData.cast::<u8>();
        // SAFETY: an accepted request has exactly `EscapeData::BYTES` bytes, as many as the reply,
        // and dxgkrnl's buffer is in and out (the page).
        unsafe { output.copy_from_nonoverlapping(reply.as_bytes().as_ptr(), EscapeData::BYTES) };
        Ok(())
    }))
}

/// The two flags that say how dxgkrnl calls are of no concern: nothing here needs more than
/// PASSIVE_LEVEL. Requests in other formats than the driver's own are not served.
fn check_flags(flags: D3DDDI_ESCAPEFLAGS) -> Result {
    let rest = flags
        .with_HardwareAccess(false)
        .with_NoAdapterSynchronization(false);
    if rest == D3DDDI_ESCAPEFLAGS::new() {
        Ok(())
    } else {
        Err(Error::InvalidParameter)
    }
}
