//! Answers to `DxgkDdiQueryAdapterInfo`. Page `nc-d3dkmddi-dxgkddi_queryadapterinfo`.
//!
//! `docs/architecture.md`, section "Start-up answers", names the page or the observation behind
//! each of them. Nothing here allocates or touches hardware; some questions are asked again and
//! again while the adapter runs, and a refusal costs a comparison.
//!
//! * `caps`: driver capabilities
//! * [`segments`]: memory segments
//! * [`mmu`]: page-table geometry
//! * `power`: power components
//! * [`private`]: what a client may ask
//! * `output`: bounded writing

mod caps;
pub mod mmu;
mod output;
mod power;
pub mod private;
pub mod segments;
#[cfg(test)]
mod tests;

use core::mem::offset_of;

use carillon_ddi::{
    DXGK_64_BIT_ONLY_CAPS, DXGK_ADAPTER_PERFDATACAPS, DXGK_DIRTY_BIT_TRACKING_CAPS,
    DXGK_FRAMEBUFFERSAVEAREA, DXGK_GPUVERSION, DXGK_HARDWARERESERVEDRANGES, DXGK_IOMMU_CAPS,
    DXGK_MAX_GPUVERSION_NAME_LENGTH, DXGK_NATIVE_FENCE_CAPS, DXGK_PHYSICAL_MEMORY_CAPS,
    DXGK_PHYSICALADAPTERCAPS, DXGK_PHYSICALADAPTERFLAGS, DXGK_QUERYADAPTERINFOTYPE,
    DXGK_QUERYGPUMMUCAPSIN, DXGK_QUERYSEGMENTIN4, DXGK_USERMODESUBMISSION_CAPS,
    DXGK_USERMODESUBMISSION_CAPS_Flags, DXGK_WDDMDEVICECAPS, DXGKARG_HISTORYBUFFERPRECISION,
};

use crate::adapter::NODES;
use crate::error::{Error, Result};
use crate::surface::{HIGHEST_ADDRESS, Level, Node, Surface, WDDM_VERSION};
use output::{Output, read_u32};
use segments::{Descriptors, Form};

/// Bits of a time stamp in a history buffer. Values outside of 32 to 64 fail the start.
const TIMESTAMP_BITS: u32 = 64;
/// Bytes from one native fence's monitored value to the next: a cache line, so that the GPU's read
/// of one does not fight with the CPU's write of another.
pub const FENCE_VALUE_STRIDE: u32 = 64;
/// Largest question type that has a name.
const LAST_TYPE: i32 = DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_PAGINGPROCESSGPUVASIZE.0;
/// A question type between the others that has no name.
const HOLE: i32 = 32;

/// One question.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What is asked.
    pub kind: DXGK_QUERYADAPTERINFOTYPE,
    /// The input structure, or nothing.
    pub input: &'a [u8],
    /// The OS's handle of the adapter (`DeviceHandle` of `DXGKRNL_INTERFACE`), and leave to answer
    /// `DXGKQAITYPE_PHYSICALADAPTERCAPS` with it. `None`: that question is refused.
    pub physical_adapter: Option<u64>,
}

/// How far an answer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Answer {
    /// The output is filled.
    Complete,
    /// The output is filled; the segments it points at are still to be written with
    /// [`Descriptors::fill`].
    Segments(Descriptors),
}

/// Answers a question about a started adapter. Questions may come in any order. IRQL:
/// PASSIVE_LEVEL.
///
/// # Errors
/// [`Error::InvalidParameter`] for a short output, a bad input, or a type that does not exist;
/// [`Error::NotSupported`] for a type that exists and that this driver does not answer. The output
/// is then as it was.
pub fn answer(surface: &Surface, request: &Request<'_>, out: &mut [u8]) -> Result<Answer> {
    type Type = DXGK_QUERYADAPTERINFOTYPE;
    match request.kind {
        Type::DXGKQAITYPE_UMDRIVERPRIVATE => private::answer(surface, out)?,
        Type::DXGKQAITYPE_DRIVERCAPS => caps::answer(surface, out)?,
        Type::DXGKQAITYPE_QUERYSEGMENT3 => return segments(Form::Third, &[], out),
        Type::DXGKQAITYPE_QUERYSEGMENT4 => return segments(Form::Fourth, request.input, out),
        Type::DXGKQAITYPE_GPUMMUCAPS => {
            first_adapter(
                request.input,
                offset_of!(DXGK_QUERYGPUMMUCAPSIN, PhysicalAdapterIndex),
            )?;
            mmu::caps(out)?;
        }
        Type::DXGKQAITYPE_PAGETABLELEVELDESC => mmu::level(request.input, out)?,
        Type::DXGKQAITYPE_PHYSICALADAPTERCAPS => {
            physical_adapter(request.physical_adapter.ok_or(Error::NotSupported)?, out)?;
        }
        Type::DXGKQAITYPE_NUMPOWERCOMPONENTS => power::count(surface, out)?,
        Type::DXGKQAITYPE_POWERCOMPONENTINFO => power::info(surface, request.input, out)?,
        Type::DXGKQAITYPE_NATIVE_FENCE_CAPS => native_fence_caps(surface, out)?,
        Type::DXGKQAITYPE_USERMODESUBMISSION_CAPS => user_mode_submission_caps(surface, out)?,
        _ => answer_without_hardware(request, out)?,
    }
    Ok(Answer::Complete)
}

/// Answers the questions that need no knowledge of the device, among them the three that come
/// before `DxgkDdiStartDevice`. IRQL: PASSIVE_LEVEL.
///
/// # Errors
/// As [`answer`]; a question about the device is [`Error::NotSupported`].
pub fn answer_without_hardware(request: &Request<'_>, out: &mut [u8]) -> Result {
    type Type = DXGK_QUERYADAPTERINFOTYPE;
    match request.kind {
        Type::DXGKQAITYPE_WDDMDEVICECAPS => {
            Output::cleared(out, size_of::<DXGK_WDDMDEVICECAPS>())?
                .i32(offset_of!(DXGK_WDDMDEVICECAPS, WDDMVersion), WDDM_VERSION.0);
            Ok(())
        }
        Type::DXGKQAITYPE_PHYSICAL_MEMORY_CAPS => {
            Output::cleared(out, size_of::<DXGK_PHYSICAL_MEMORY_CAPS>())?.u64(
                offset_of!(DXGK_PHYSICAL_MEMORY_CAPS, HighestVisibleAddress),
                HIGHEST_ADDRESS,
            );
            Ok(())
        }
        Type::DXGKQAITYPE_IOMMU_CAPS => nothing(out, size_of::<DXGK_IOMMU_CAPS>()),
        Type::DXGKQAITYPE_HISTORYBUFFERPRECISION => history_buffer_precision(out),
        Type::DXGKQAITYPE_GPUVERSION => gpu_version(out),
        Type::DXGKQAITYPE_FRAMEBUFFERSAVESIZE => {
            nothing(out, size_of::<DXGK_FRAMEBUFFERSAVEAREA>())
        }
        Type::DXGKQAITYPE_ADAPTERPERFDATA_CAPS => {
            nothing(out, size_of::<DXGK_ADAPTER_PERFDATACAPS>())
        }
        Type::DXGKQAITYPE_DIRTYBITTRACKINGCAPS => {
            nothing(out, size_of::<DXGK_DIRTY_BIT_TRACKING_CAPS>())
        }
        Type::DXGKQAITYPE_64BITONLYCAPS => nothing(out, size_of::<DXGK_64_BIT_ONLY_CAPS>()),
        Type::DXGKQAITYPE_HARDWARERESERVEDRANGES | Type::DXGKQAITYPE_HARDWARERESERVEDRANGES2 => {
            let at = offset_of!(DXGK_HARDWARERESERVEDRANGES, NumRanges);
            Output::kept(out, size_of::<DXGK_HARDWARERESERVEDRANGES>())?.u32(at, 0);
            Ok(())
        }
        kind => Err(if kind.0 != HOLE && (0..=LAST_TYPE).contains(&kind.0) {
            Error::NotSupported
        } else {
            Error::InvalidParameter
        }),
    }
}

/// An answer that consists of zeros: no, none, or zero bytes.
fn nothing(out: &mut [u8], bytes: usize) -> Result {
    Output::cleared(out, bytes).map(|_| ())
}

/// Refuses questions about any but the one physical adapter. An absent input means that one.
fn first_adapter(input: &[u8], offset: usize) -> Result {
    if !input.is_empty() && read_u32(input, offset)? != 0 {
        return Err(Error::InvalidParameter);
    }
    Ok(())
}

fn segments(form: Form, input: &[u8], out: &mut [u8]) -> Result<Answer> {
    first_adapter(
        input,
        offset_of!(DXGK_QUERYSEGMENTIN4, PhysicalAdapterIndex),
    )?;
    Ok(match segments::header(form, out)? {
        Some(descriptors) => Answer::Segments(descriptors),
        None => Answer::Complete,
    })
}

/// The output is an array, one element per engine that has a history buffer.
fn history_buffer_precision(out: &mut [u8]) -> Result {
    let element = size_of::<DXGKARG_HISTORYBUFFERPRECISION>();
    let bytes = out.len();
    let mut out = Output::cleared(out, element)?;
    for at in (0..bytes).step_by(element) {
        out.u32(
            at.saturating_add(offset_of!(DXGKARG_HISTORYBUFFERPRECISION, PrecisionBits)),
            TIMESTAMP_BITS,
        );
    }
    Ok(())
}

fn gpu_version(out: &mut [u8]) -> Result {
    let mut out = Output::cleared(out, size_of::<DXGK_GPUVERSION>())?;
    out.text(
        offset_of!(DXGK_GPUVERSION, GpuArchitecture),
        "Carillon",
        DXGK_MAX_GPUVERSION_NAME_LENGTH,
    );
    Ok(())
}

fn physical_adapter(handle: u64, out: &mut [u8]) -> Result {
    let mut out = Output::cleared(out, size_of::<DXGK_PHYSICALADAPTERCAPS>())?;
    let nodes = u16::try_from(NODES).map_err(|_| Error::InvalidParameter)?;
    out.u16(
        offset_of!(DXGK_PHYSICALADAPTERCAPS, NumExecutionNodes),
        nodes,
    );
    out.u16(
        offset_of!(DXGK_PHYSICALADAPTERCAPS, PagingNodeIndex),
        Node::PAGING.ordinal(),
    );
    out.u64(
        offset_of!(DXGK_PHYSICALADAPTERCAPS, DxgkPhysicalAdapterHandle),
        handle,
    );
    out.u32(
        offset_of!(DXGK_PHYSICALADAPTERCAPS, Flags),
        DXGK_PHYSICALADAPTERFLAGS::new()
            .with_GpuMmuSupported(true)
            .into_bits(),
    );
    Ok(())
}

/// Fences are written with addresses of the process that waits or signals; the system process
/// needs none of them, and there is no range that they must lie in.
fn native_fence_caps(surface: &Surface, out: &mut [u8]) -> Result {
    if !surface.offers(Level::NativeFences) {
        return Err(Error::NotSupported);
    }
    Output::cleared(out, size_of::<DXGK_NATIVE_FENCE_CAPS>())?.u32(
        offset_of!(DXGK_NATIVE_FENCE_CAPS, MonitoredValueStride),
        FENCE_VALUE_STRIDE,
    );
    Ok(())
}

/// One doorbell of a page, and a secondary one of the same size if the device has them: flag and
/// size go together.
fn user_mode_submission_caps(surface: &Surface, out: &mut [u8]) -> Result {
    if !surface.offers(Level::UserModeSubmission) {
        return Err(Error::NotSupported);
    }
    let mut out = Output::cleared(out, size_of::<DXGK_USERMODESUBMISSION_CAPS>())?;
    out.u32(
        offset_of!(DXGK_USERMODESUBMISSION_CAPS, DoorbellSizeInBytes),
        surface.doorbell_bytes(),
    );
    if let Some(bytes) = surface.secondary_doorbell_bytes() {
        let flags = DXGK_USERMODESUBMISSION_CAPS_Flags::new().with_SecondaryDoorbellSupported(true);
        out.u32(
            offset_of!(DXGK_USERMODESUBMISSION_CAPS, Flags),
            flags.into_bits(),
        );
        out.u32(
            offset_of!(DXGK_USERMODESUBMISSION_CAPS, SecondaryDoorbellSizeInBytes),
            bytes,
        );
    }
    Ok(())
}
