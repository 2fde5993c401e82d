//! `DxgkDdiQueryAdapterInfo`.

use core::ffi::c_void;

use carillon_core::error::{Error, Result};
use carillon_core::query::{self, Answer, Request};
use carillon_ddi::{DXGKARG_QUERYADAPTERINFO, HANDLE, NTSTATUS};

use super::arguments::{PrivateData, answer, bytes_mut, input};
use crate::adapter::{Added, Started};
use crate::irql;

/// Most bytes of an input structure that the core looks at. A longer input (the private data of
/// DXGKQAITYPE_UMDRIVERPRIVATE) is not looked at further.
const INPUT_BYTES: u32 = 64;

/// `DxgkDdiQueryAdapterInfo`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_queryadapterinfo`.
///
/// Outputs are filled in place in the OS's buffer. Before the start only questions without
/// hardware have an answer.
pub(crate) unsafe extern "win64" fn query_adapter_info(
    adapter: HANDLE,
    arguments: *const DXGKARG_QUERYADAPTERINFO,
) -> NTSTATUS {
    let _passive = irql::passive();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments) };
    answer(Added::of_context(adapter).and_then(|added| {
        let arguments = arguments?;
        // SAFETY: the page: NULL or `InputDataSize` bytes, of which no more are read.
        let input = unsafe {
            PrivateData::<{ INPUT_BYTES as usize }>::copy(
                arguments.pInputData,
                arguments.InputDataSize.min(INPUT_BYTES),
            )
        }?;
        // SAFETY: the page: NULL or `OutputDataSize` bytes, which overlap nothing else.
        let output = unsafe { bytes_mut(arguments.pOutputData, arguments.OutputDataSize) }?;
        let running = added.running();
        let request = Request {
            kind: arguments.Type,
            input: input.as_slice(),
            physical_adapter: running
                .as_ref()
                .ok()
                .map(|started| started.platform().dxgkrnl().device().addr() as u64),
        };
        match running {
            // SAFETY: the page, for the segment questions: the descriptor pointer leads to as many
            // descriptors as the OS was told in its first question.
            Ok(started) => unsafe { answer_started(&started, &request, output) },
            Err(_) => query::answer_without_hardware(&request, output),
        }
    }))
}

/// # Safety
/// The pointer to segment descriptors in `output`, for the questions that have one, is NULL or
/// leads to writable memory of as many bytes as the question asks for.
unsafe fn answer_started(started: &Started, request: &Request<'_>, output: &mut [u8]) -> Result {
    match query::answer(&started.surface, request, output)? {
        Answer::Complete => Ok(()),
        Answer::Segments(descriptors) => {
            let address =
                usize::try_from(descriptors.address()).map_err(|_| Error::InvalidParameter)?;
            let bytes = u32::try_from(descriptors.bytes()).map_err(|_| Error::InvalidParameter)?;
            // The OS has passed the pointer inside a buffer of bytes, so its provenance is the
            // kernel's address space.
            let array: *mut c_void = core::ptr::with_exposed_provenance_mut(address);
            // SAFETY: the caller's contract.
            let array = unsafe { bytes_mut(array, bytes) }?;
            descriptors.fill(&started.surface, array)
        }
    }
}
