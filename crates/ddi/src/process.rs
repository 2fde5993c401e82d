//! Processes and their root page tables.

use bitfield_struct::bitfield;

use crate::base::{D3DGPU_PHYSICAL_ADDRESS, HANDLE};
use crate::ntstatus::NTSTATUS;

/// What kind of process it is: the system, GDI, a virtual machine's. Page
/// `ns-d3dkmddi-dxgk_createprocessflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_CREATEPROCESSFLAGS {
    pub SystemProcess: bool,
    pub GdiProcess: bool,
    pub VirtualMachineProcess: bool,
    pub VirtualMachineWorkerProcess: bool,
    pub SessionIsolatedContainer: bool,
    #[bits(27)]
    pub Reserved: u32,
}

/// A process begins to use the adapter; the driver answers its handle. Page
/// `ns-d3dkmddi-dxgkarg_createprocess`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_CREATEPROCESS {
    pub hDxgkProcess: HANDLE,
    pub hKmdProcess: HANDLE,
    pub Flags: DXGK_CREATEPROCESSFLAGS,
    pub NumPasid: u32,
    pub pPasid: *mut u32,
    pub hKmdVmWorkerProcess: HANDLE,
    pub ProcessNameLength: u32,
    pub pProcessName: *mut u16,
}

/// Where a context's root page table lies and how many entries it has. Page
/// `ns-d3dkmddi-_dxgkarg_setrootpagetable`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_SETROOTPAGETABLE {
    pub hContext: HANDLE,
    pub Address: D3DGPU_PHYSICAL_ADDRESS,
    pub NumEntries: u32,
}

/// Asks how many bytes a root page table of so many entries takes. Page
/// `ns-d3dkmddi-dxgkarg_getrootpagetablesize`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_GETROOTPAGETABLESIZE {
    pub NumberOfPte: u32,
    pub PhysicalAdapterIndex: u32,
}

/// `DxgkDdiSetRootPageTable` with [`DXGKARG_SETROOTPAGETABLE`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_setrootpagetable`.
pub type DXGKDDI_SETROOTPAGETABLE =
    unsafe extern "win64" fn(hAdapter: HANDLE, pSetPageTable: *const DXGKARG_SETROOTPAGETABLE);

/// `DxgkDdiGetRootPageTableSize` with [`DXGKARG_GETROOTPAGETABLESIZE`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_getrootpagetablesize`.
pub type DXGKDDI_GETROOTPAGETABLESIZE =
    unsafe extern "win64" fn(hAdapter: HANDLE, pArgs: *mut DXGKARG_GETROOTPAGETABLESIZE) -> usize;

/// `DxgkDdiCreateProcess` with [`DXGKARG_CREATEPROCESS`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_createprocess`.
pub type DXGKDDI_CREATEPROCESS =
    unsafe extern "win64" fn(hAdapter: HANDLE, pArgs: *mut DXGKARG_CREATEPROCESS) -> NTSTATUS;

/// `DxgkDdiDestroyProcess`: A process ends its use of the adapter. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_destroyprocess`.
pub type DXGKDDI_DESTROYPROCESS =
    unsafe extern "win64" fn(hAdapter: HANDLE, hKmdProcess: HANDLE) -> NTSTATUS;

layouts! {
    DXGK_CREATEPROCESSFLAGS = 4 {
    }
    DXGKARG_CREATEPROCESS = 56 {
        hDxgkProcess: 0,
        hKmdProcess: 8,
        Flags: 16,
        NumPasid: 20,
        pPasid: 24,
        hKmdVmWorkerProcess: 32,
        ProcessNameLength: 40,
        pProcessName: 48,
    }
    DXGKARG_SETROOTPAGETABLE = 32 {
        hContext: 0,
        Address: 8,
        NumEntries: 24,
    }
    DXGKARG_GETROOTPAGETABLESIZE = 8 {
        NumberOfPte: 0,
        PhysicalAdapterIndex: 4,
    }
}
