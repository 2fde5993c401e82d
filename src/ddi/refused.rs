//! Entry points whose job a render-only adapter does not have.
//!
//! Windows wants every slot of the base block filled. With no sources and no children reported,
//! none of these is called in practice; each answers what its page allows, and touches nothing.

use core::mem::transmute;

use carillon_ddi::{
    BOOLEAN, DXGK_CHILD_STATUS, DXGK_DEVICE_DESCRIPTOR, DXGK_EVENT_TYPE, DXGK_INTERRUPT_TYPE,
    DXGKARG_PATCH, DXGKARG_RENDER, HANDLE, LINKED_DEVICE, NTSTATUS, PVOID, UNTYPED_DDI,
    VIDEO_REQUEST_PACKET,
};

/// An entry point that ignores its arguments.
type Constant = unsafe extern "win64" fn() -> NTSTATUS;

/// A constant answer as an entry point of any arguments.
const fn untyped(entry: Constant) -> UNTYPED_DDI {
    // SAFETY: both are pointers to functions of the same convention. The caller passes arguments
    // in registers and in a frame that it cleans up itself, so a function that reads none of them
    // is right for any; the status comes back in the register in which each of these DDIs returns
    // one.
    unsafe { transmute::<Constant, UNTYPED_DDI>(entry) }
}

macro_rules! constant {
    ($($(#[$doc:meta])* $name:ident = $status:ident;)*) => {$(
        $(#[$doc])*
        pub(crate) const $name: UNTYPED_DDI = {
            unsafe extern "win64" fn entry() -> NTSTATUS {
                NTSTATUS::$status
            }
            untyped(entry)
        };
    )*};
}

constant! {
    /// Succeeds and does nothing: for DDIs that configure displays. There are none, so there is
    /// nothing to configure.
    NOTHING_TO_DO = STATUS_SUCCESS;
    /// Swizzling ranges, palettes, pointers, overlays, scan lines: not there.
    NOT_SUPPORTED = STATUS_NOT_SUPPORTED;
    /// A presentation or a format for an adapter that presents nothing: a bad argument. Page
    /// `nc-d3dkmddi-dxgkddi_present` lists this status.
    INVALID_PARAMETER = STATUS_INVALID_PARAMETER;
    /// No VidPN is supported. Page `nc-d3dkmddi-dxgkddi_issupportedvidpn`.
    INVALID_VIDPN = STATUS_GRAPHICS_INVALID_VIDPN;
    /// There is none to recommend. Page `nc-d3dkmddi-dxgkddi_recommendfunctionalvidpn`.
    NO_RECOMMENDED_VIDPN = STATUS_GRAPHICS_NO_RECOMMENDED_FUNCTIONAL_VIDPN;
    /// No target to transform. Page `nc-d3dkmddi-dxgkddi_updateactivevidpnpresentpath`.
    NO_VIDPN_MODALITY = STATUS_GRAPHICS_VIDPN_MODALITY_NOT_SUPPORTED;
}

/// `DxgkDdiDispatchIoRequest`: legacy video requests are not served. IRQL: PASSIVE_LEVEL. Page
/// `nc-dispmprt-dxgkddi_dispatch_io_request`.
pub(crate) unsafe extern "win64" fn dispatch_io_request(
    _context: PVOID,
    _source: u32,
    _packet: *mut VIDEO_REQUEST_PACKET,
) -> NTSTATUS {
    NTSTATUS::STATUS_NOT_SUPPORTED
}

/// `DxgkDdiQueryChildStatus`: there is no child. IRQL: PASSIVE_LEVEL. Page
/// `nc-dispmprt-dxgkddi_query_child_status`.
pub(crate) unsafe extern "win64" fn query_child_status(
    _context: PVOID,
    _status: *mut DXGK_CHILD_STATUS,
    _non_destructive_only: BOOLEAN,
) -> NTSTATUS {
    NTSTATUS::STATUS_INVALID_PARAMETER
}

/// `DxgkDdiQueryDeviceDescriptor`: there is no child, so it has no descriptor. IRQL:
/// PASSIVE_LEVEL. Page `nc-dispmprt-dxgkddi_query_device_descriptor`.
pub(crate) unsafe extern "win64" fn query_device_descriptor(
    _context: PVOID,
    _child: u32,
    _descriptor: *mut DXGK_DEVICE_DESCRIPTOR,
) -> NTSTATUS {
    NTSTATUS::STATUS_GRAPHICS_CHILD_DESCRIPTOR_NOT_SUPPORTED
}

/// `DxgkDdiNotifyAcpiEvent`: nothing of the adapter depends on ACPI. Page
/// `nc-dispmprt-dxgkddi_notify_acpi_event`.
pub(crate) unsafe extern "win64" fn notify_acpi_event(
    _context: PVOID,
    _kind: DXGK_EVENT_TYPE,
    _event: u32,
    _argument: PVOID,
    _flags: *mut u32,
) -> NTSTATUS {
    NTSTATUS::STATUS_SUCCESS
}

/// `DxgkDdiResetDevice`: there is no display to bring back to text mode. IRQL: any. Page
/// `nc-dispmprt-dxgkddi_reset_device`.
pub(crate) unsafe extern "win64" fn reset_device(_context: PVOID) {}

/// `DxgkDdiControlEtwLogging`: the driver writes no events of its own. IRQL: PASSIVE_LEVEL. Page
/// `nc-dispmprt-dxgkddi_control_etw_logging`.
pub(crate) unsafe extern "win64" fn control_etw_logging(
    _enable: BOOLEAN,
    _flags: u32,
    _level: BOOLEAN,
) {
}

/// `DxgkDdiLinkDevice`: adapters are not linked. Page `nc-dispmprt-dxgkddi_link_device`.
pub(crate) unsafe extern "win64" fn link_device(
    _physical_device: PVOID,
    _context: PVOID,
    _linked: *mut LINKED_DEVICE,
) -> NTSTATUS {
    NTSTATUS::STATUS_NOT_SUPPORTED
}

/// `DxgkDdiControlInterrupt`: vertical syncs do not exist, and the other interrupts are always on.
/// Page `nc-d3dkmddi-dxgkddi_controlinterrupt` names this status for what is not there.
pub(crate) unsafe extern "win64" fn control_interrupt(
    _adapter: HANDLE,
    _kind: DXGK_INTERRUPT_TYPE,
    _enable: BOOLEAN,
) -> NTSTATUS {
    NTSTATUS::STATUS_NOT_IMPLEMENTED
}

/// `DxgkDdiPatch`: contexts address memory virtually and ask for no patching. Page
/// `nc-d3dkmddi-dxgkddi_patch`.
pub(crate) unsafe extern "win64" fn patch(
    _adapter: HANDLE,
    _patch: *const DXGKARG_PATCH,
) -> NTSTATUS {
    NTSTATUS::STATUS_INVALID_PARAMETER
}

/// `DxgkDdiRender`: command buffers are submitted as they are. Page
/// `nc-d3dkmddi-dxgkddi_render` lists this status.
pub(crate) unsafe extern "win64" fn render(
    _context: HANDLE,
    _render: *mut DXGKARG_RENDER,
) -> NTSTATUS {
    NTSTATUS::STATUS_INVALID_PARAMETER
}

/// `DxgkDdiDestroyOverlay`: none was created. Page `nc-d3dkmddi-dxgkddi_destroyoverlay`.
pub(crate) unsafe extern "win64" fn destroy_overlay(_overlay: HANDLE) -> NTSTATUS {
    NTSTATUS::STATUS_SUCCESS
}
