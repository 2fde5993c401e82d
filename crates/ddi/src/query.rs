//! `DxgkDdiQueryAdapterInfo`: the request and the smaller answers.

use bitfield_struct::bitfield;

use crate::base::{
    BOOLEAN, D3DDDI_VIDEO_PRESENT_SOURCE_ID, D3DDDI_VIDEO_PRESENT_TARGET_ID,
    D3DGPU_VIRTUAL_ADDRESS, HANDLE, LARGE_INTEGER, PHYSICAL_ADDRESS, PVOID,
};
use crate::caps::DXGK_WDDMVERSION;
use crate::ntstatus::NTSTATUS;

/// The questions that `DxgkDdiQueryAdapterInfo` gets. Page
/// `ne-d3dkmddi-_dxgk_queryadapterinfotype`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_QUERYADAPTERINFOTYPE(pub i32);

impl DXGK_QUERYADAPTERINFOTYPE {
    pub const DXGKQAITYPE_UMDRIVERPRIVATE: Self = Self(0);
    pub const DXGKQAITYPE_DRIVERCAPS: Self = Self(1);
    pub const DXGKQAITYPE_QUERYSEGMENT: Self = Self(2);
    pub const DXGKQAITYPE_RESERVED: Self = Self(3);
    pub const DXGKQAITYPE_QUERYSEGMENT2: Self = Self(4);
    pub const DXGKQAITYPE_QUERYSEGMENT3: Self = Self(5);
    pub const DXGKQAITYPE_NUMPOWERCOMPONENTS: Self = Self(6);
    pub const DXGKQAITYPE_POWERCOMPONENTINFO: Self = Self(7);
    pub const DXGKQAITYPE_PREFERREDGPUNODE: Self = Self(8);
    pub const DXGKQAITYPE_POWERCOMPONENTPSTATEINFO: Self = Self(9);
    pub const DXGKQAITYPE_HISTORYBUFFERPRECISION: Self = Self(10);
    pub const DXGKQAITYPE_QUERYSEGMENT4: Self = Self(11);
    pub const DXGKQAITYPE_SEGMENTMEMORYSTATE: Self = Self(12);
    pub const DXGKQAITYPE_GPUMMUCAPS: Self = Self(13);
    pub const DXGKQAITYPE_PAGETABLELEVELDESC: Self = Self(14);
    pub const DXGKQAITYPE_PHYSICALADAPTERCAPS: Self = Self(15);
    pub const DXGKQAITYPE_DISPLAY_DRIVERCAPS_EXTENSION: Self = Self(16);
    pub const DXGKQAITYPE_INTEGRATED_DISPLAY_DESCRIPTOR: Self = Self(17);
    pub const DXGKQAITYPE_UEFIFRAMEBUFFERRANGES: Self = Self(18);
    pub const DXGKQAITYPE_QUERYCOLORIMETRYOVERRIDES: Self = Self(19);
    pub const DXGKQAITYPE_DISPLAYID_DESCRIPTOR: Self = Self(20);
    pub const DXGKQAITYPE_FRAMEBUFFERSAVESIZE: Self = Self(21);
    pub const DXGKQAITYPE_HARDWARERESERVEDRANGES: Self = Self(22);
    pub const DXGKQAITYPE_INTEGRATED_DISPLAY_DESCRIPTOR2: Self = Self(23);
    pub const DXGKQAITYPE_NODEPERFDATA: Self = Self(24);
    pub const DXGKQAITYPE_ADAPTERPERFDATA: Self = Self(25);
    pub const DXGKQAITYPE_ADAPTERPERFDATA_CAPS: Self = Self(26);
    pub const DXGKQAITYPE_GPUVERSION: Self = Self(27);
    pub const DXGKQAITYPE_DEVICE_TYPE_CAPS: Self = Self(28);
    pub const DXGKQAITYPE_WDDMDEVICECAPS: Self = Self(29);
    pub const DXGKQAITYPE_GPUPCAPS: Self = Self(30);
    pub const DXGKQAITYPE_QUERYTARGETGAMMACAPS: Self = Self(31);
    pub const DXGKQAITYPE_SCANOUT_CAPS: Self = Self(33);
    pub const DXGKQAITYPE_PHYSICAL_MEMORY_CAPS: Self = Self(34);
    pub const DXGKQAITYPE_IOMMU_CAPS: Self = Self(35);
    pub const DXGKQAITYPE_HARDWARERESERVEDRANGES2: Self = Self(36);
    pub const DXGKQAITYPE_NATIVE_FENCE_CAPS: Self = Self(37);
    pub const DXGKQAITYPE_USERMODESUBMISSION_CAPS: Self = Self(38);
    pub const DXGKQAITYPE_DIRTYBITTRACKINGCAPS: Self = Self(39);
    pub const DXGKQAITYPE_DIRTYBITTRACKINGSEGMENTCAPS: Self = Self(40);
    pub const DXGKQAITYPE_SCATTER_RESERVE: Self = Self(41);
    pub const DXGKQAITYPE_QUERYPAGINGBUFFERINFO: Self = Self(42);
    pub const DXGKQAITYPE_QUERYSEGMENTCOUNT: Self = Self(43);
    pub const DXGKQAITYPE_QUERYSEGMENT5: Self = Self(44);
    pub const DXGKQAITYPE_QUERYMMUCOUNT: Self = Self(45);
    pub const DXGKQAITYPE_QUERYMMUS: Self = Self(46);
    pub const DXGKQAITYPE_64BITONLYCAPS: Self = Self(47);
    pub const DXGKQAITYPE_PAGINGPROCESSGPUVASIZE: Self = Self(48);
}

/// Number of valid bits in a node's time stamps. Page `ns-d3dkmddi-dxgkarg_historybufferprecision`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_HISTORYBUFFERPRECISION {
    pub PrecisionBits: u32,
}

/// Whether the question concerns a virtual machine. Page `ns-d3dkmddi-dxgk_queryadapterinfoflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_QUERYADAPTERINFOFLAGS {
    pub VirtualMachineData: bool,
    pub SecureVirtualMachine: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// One question of the OS about the adapter: the type names the structures behind the input and
/// output pointers. Page `ns-d3dkmddi-_dxgkarg_queryadapterinfo`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_QUERYADAPTERINFO {
    pub Type: DXGK_QUERYADAPTERINFOTYPE,
    pub pInputData: PVOID,
    pub InputDataSize: u32,
    pub pOutputData: PVOID,
    pub OutputDataSize: u32,
    pub Flags: DXGK_QUERYADAPTERINFOFLAGS,
    pub hKmdProcessHandle: HANDLE,
}

/// The interface version that the OS offers. Page `ns-d3dkmddi-dxgk_wddmdevicecapsin`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_WDDMDEVICECAPSIN {
    pub DxgkrnlInterfaceVersion: u32,
}

/// The display driver model version that the driver reports in return. Page
/// `ns-d3dkmddi-_dxgk_wddmdevicecaps`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_WDDMDEVICECAPS {
    pub WDDMVersion: DXGK_WDDMVERSION,
}

/// Whether the adapter is discrete and whether it can be detached. Page
/// `ns-d3dkmddi-dxgk_device_type_caps`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_DEVICE_TYPE_CAPS {
    pub Discrete: bool,
    pub Detachable: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// Addressing models and other properties of a physical adapter; `GpuMmuSupported` lives here. Page
/// `ns-d3dkmddi-dxgk_physicaladapterflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_PHYSICALADAPTERFLAGS {
    pub IoMmuSupported: bool,
    pub GpuMmuSupported: bool,
    pub MovePagingSupported: bool,
    pub VPRPagingContextRequired: bool,
    pub AllowHardwareProtectedNoVpr: bool,
    pub VirtualCopyEngineSupported: bool,
    pub GpuVaIommuRequired: bool,
    pub GpuVaIommuGlobalRequired: bool,
    pub GpuVaIommuCacheCoherent: bool,
    #[bits(23)]
    pub Reserved: u32,
}

/// Number of nodes, paging node, the OS's handle and flags of one physical adapter. Page
/// `ns-d3dkmddi-_dxgk_physicaladaptercaps`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_PHYSICALADAPTERCAPS {
    pub NumExecutionNodes: u16,
    pub PagingNodeIndex: u16,
    pub DxgkPhysicalAdapterHandle: HANDLE,
    pub Flags: DXGK_PHYSICALADAPTERFLAGS,
    pub VPRPagingNode: u32,
    pub VirtualCopyNodeIndex: u32,
}

/// Which physical adapter's capabilities are asked for. Page
/// `ns-d3dkmddi-dxgk_queryphysicaladaptercapsin`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QUERYPHYSICALADAPTERCAPSIN {
    pub PhysicalAdapterIndex: u32,
}

/// Highest physical address that the device reaches. Page `ns-d3dkmddi-dxgk_physical_memory_caps`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_PHYSICAL_MEMORY_CAPS {
    pub HighestVisibleAddress: PHYSICAL_ADDRESS,
}

/// Which kinds of IOMMU isolation the driver can live under. Page `ns-d3dkmddi-dxgk_iommu_caps`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_IOMMU_CAPS {
    pub IommuIsolationSupported: bool,
    pub IommuIsolationRequired: bool,
    pub DmaRemappingSupported: bool,
    pub GpuVaIommuRequired: bool,
    pub GpuVaIommuGlobalRequired: bool,
    #[bits(27)]
    pub Reserved: u32,
}

/// Which physical adapter's time stamp precision is asked for. Page
/// `ns-d3dkmddi-dxgk_queryhistorybufferprecisionin`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QUERYHISTORYBUFFERPRECISIONIN {
    pub PhysicalAdapterIndex: u32,
}

/// Frequency, voltage and transition latency of a node. Page `ns-d3dkmdt-dxgk_node_perfdata`.
#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_NODE_PERFDATA {
    pub Frequency: u64,
    pub MaxFrequency: u64,
    pub MaxFrequencyOC: u64,
    pub Voltage: u32,
    pub VoltageMax: u32,
    pub VoltageMaxOC: u32,
    pub MaxTransitionLatency: u64,
}

/// Memory frequency, bandwidth, temperature, fan and power of an adapter. Page
/// `ns-d3dkmdt-dxgk_adapter_perfdata`.
#[repr(C, packed)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_ADAPTER_PERFDATA {
    pub MemoryFrequency: u64,
    pub MaxMemoryFrequency: u64,
    pub MaxMemoryFrequencyOC: u64,
    pub MemoryBandwidth: u64,
    pub PCIEBandwidth: u64,
    pub FanRPM: u32,
    pub Power: u32,
    pub Temperature: u32,
    pub PowerStateOverride: u8,
}

/// Upper limits of the adapter's measurements. Page `ns-d3dkmdt-dxgk_adapter_perfdatacaps`.
#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_ADAPTER_PERFDATACAPS {
    pub MaxMemoryBandwidth: u64,
    pub MaxPCIEBandwidth: u64,
    pub MaxFanRPM: u32,
    pub TemperatureMax: u32,
    pub TemperatureWarning: u32,
}

/// Names of the video BIOS and the GPU architecture. Page `ns-d3dkmdt-dxgk_gpuversion`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_GPUVERSION {
    pub BiosVersion: [u16; 32],
    pub GpuArchitecture: [u16; 32],
}

/// Stride of monitored values and where native fences may be mapped. Page
/// `ns-d3dkmddi-dxgk_native_fence_caps`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_NATIVE_FENCE_CAPS {
    pub MonitoredValueStride: u32,
    pub MapToGpuSystemProcess: BOOLEAN,
    pub MinimumAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub MaximumAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub Reserved: [u8; 28],
}

/// Bytes of a doorbell and of its secondary, and whether there is a secondary. Page
/// `ns-d3dkmddi-dxgk_usermodesubmission_caps`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_USERMODESUBMISSION_CAPS {
    pub Flags: DXGK_USERMODESUBMISSION_CAPS_Flags,
    pub DoorbellSizeInBytes: u32,
    pub SecondaryDoorbellSizeInBytes: u32,
    pub Reserved: [u8; 16],
}

/// The `Flags` member of [`DXGK_USERMODESUBMISSION_CAPS`].
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_USERMODESUBMISSION_CAPS_Flags {
    pub SecondaryDoorbellSupported: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Whether the GPU tracks writes to its memory. Page `ns-d3dkmddi-dxgk_dirty_bit_tracking_caps`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_DIRTY_BIT_TRACKING_CAPS {
    pub DirtyBitTrackingSupported: bool,
    pub DirtyBitTrackingPerformant: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// Granularity of write tracking in a segment. Page
/// `ns-d3dkmddi-dxgk_dirty_bit_tracking_segment_caps`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_DIRTY_BIT_TRACKING_SEGMENT_CAPS {
    pub PageSize: u32,
}

/// Whether the driver serves 64-bit processes only. Page `ns-d3dkmddi-dxgk_64_bit_only_caps`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_64_BIT_ONLY_CAPS {
    pub SupportsOnly64Bit: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Most bytes that saving the frame buffer takes. Page `ns-d3dkmddi-dxgk_framebuffersavearea`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_FRAMEBUFFERSAVEAREA {
    pub MaximumSize: usize,
}

/// Physical ranges that the hardware keeps for itself. Page
/// `ns-d3dkmddi-dxgk_hardwarereservedranges`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_HARDWARERESERVEDRANGES {
    pub NumRanges: u32,
    pub pPhysicalRanges: *mut DXGK_PHYSICAL_MEMORY_RANGE,
}

/// A physical range as first address and length. Page `ns-d3dkmddi-dxgk_physical_memory_range`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_PHYSICAL_MEMORY_RANGE {
    pub BaseAddress: PHYSICAL_ADDRESS,
    pub NumberOfBytes: LARGE_INTEGER,
}

/// Which segment's scatter reserve is asked for. Page `ns-d3dkmddi-dxgk_queryscatterreservein`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QUERYSCATTERRESERVEIN {
    pub SegmentId: u32,
}

/// Page size of a virtual GPU's resources. Page `ns-d3dkmddi-dxgk_queryscatterreserveout`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QUERYSCATTERRESERVEOUT {
    pub SetVGPUResourcesPageSize: u64,
}

/// Which adapter's paging buffer is asked for. Page `ns-d3dkmddi-dxgk_querypagingbufferinfoin`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QUERYPAGINGBUFFERINFOIN {
    pub PhysicalAdapterIndex: u16,
    pub Reserved: u16,
}

/// Size and private data size of paging buffers. Page `ns-d3dkmddi-dxgk_querypagingbufferinfoout`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QUERYPAGINGBUFFERINFOOUT {
    pub PagingBufferSize: u32,
    pub PagingBufferPrivateDataSize: u32,
}

/// Which adapter's number of MMUs is asked for. Page `ns-d3dkmddi-dxgk_querymmucountin`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QUERYMMUCOUNTIN {
    pub PhysicalAdapterIndex: u16,
    pub Padding: u16,
    pub Reserved: u32,
}

/// Number of MMUs of a physical adapter. Page `ns-d3dkmddi-dxgk_querymmucountout`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QUERYMMUCOUNTOUT {
    pub MmuCount: u16,
    pub Padding: u16,
    pub Reserved: u32,
}

/// Further display capabilities; a render-only adapter leaves them zero. Page
/// `ns-d3dkmddi-dxgk_display_drivercaps_extension`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_DISPLAY_DRIVERCAPS_EXTENSION {
    pub SecureDisplaySupport: bool,
    pub VirtualModeSupport: bool,
    pub HdrFP16ScanoutSupport: bool,
    pub HdrARGB10ScanoutSupport: bool,
    pub Hdr10MetadataSupport: bool,
    pub VirtualRefreshRateSupport: bool,
    pub SupportUsb4Targets: bool,
    #[bits(25)]
    pub Reserved: u32,
}

/// Which source a question is about. Page `ns-d3dkmddi-dxgk_qaisourcein`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QAISOURCEIN {
    pub Source: D3DDDI_VIDEO_PRESENT_SOURCE_ID,
}

/// Which target a question is about. Page `ns-d3dkmddi-dxgk_qaitargetin`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_QAITARGETIN {
    pub TargetId: D3DDDI_VIDEO_PRESENT_TARGET_ID,
}

/// What the adapter can do when it is partitioned among virtual machines. Page
/// `ns-d3dkmddi-dxgk_gpupcaps`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_GPUPCAPS {
    pub Caps: DXGK_GPUPCAPS_Caps,
}

/// The `Caps` member of [`DXGK_GPUPCAPS`].
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_GPUPCAPS_Caps {
    pub VirtualMachineHibernation: bool,
    pub HotDriverUpdate: bool,
    pub LiveMigration: bool,
    pub ScatterMapReserve: bool,
    #[bits(28)]
    pub Reserved: u32,
}

/// `DxgkDdiQueryAdapterInfo` with [`DXGKARG_QUERYADAPTERINFO`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_queryadapterinfo`.
pub type DXGKDDI_QUERYADAPTERINFO = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pQueryAdapterInfo: *const DXGKARG_QUERYADAPTERINFO,
) -> NTSTATUS;

layouts! {
    DXGKARG_HISTORYBUFFERPRECISION = 4 {
        PrecisionBits: 0,
    }
    DXGK_QUERYADAPTERINFOFLAGS = 4 {
    }
    DXGKARG_QUERYADAPTERINFO = 48 {
        Type: 0,
        pInputData: 8,
        InputDataSize: 16,
        pOutputData: 24,
        OutputDataSize: 32,
        Flags: 36,
        hKmdProcessHandle: 40,
    }
    DXGK_WDDMDEVICECAPSIN = 4 {
        DxgkrnlInterfaceVersion: 0,
    }
    DXGK_WDDMDEVICECAPS = 4 {
        WDDMVersion: 0,
    }
    DXGK_DEVICE_TYPE_CAPS = 4 {
    }
    DXGK_PHYSICALADAPTERFLAGS = 4 {
    }
    DXGK_PHYSICALADAPTERCAPS = 32 {
        NumExecutionNodes: 0,
        PagingNodeIndex: 2,
        DxgkPhysicalAdapterHandle: 8,
        Flags: 16,
        VPRPagingNode: 20,
        VirtualCopyNodeIndex: 24,
    }
    DXGK_QUERYPHYSICALADAPTERCAPSIN = 4 {
        PhysicalAdapterIndex: 0,
    }
    DXGK_PHYSICAL_MEMORY_CAPS = 8 {
        HighestVisibleAddress: 0,
    }
    DXGK_IOMMU_CAPS = 4 {
    }
    DXGK_QUERYHISTORYBUFFERPRECISIONIN = 4 {
        PhysicalAdapterIndex: 0,
    }
    DXGK_NODE_PERFDATA = 44 {
        Frequency: 0,
        MaxFrequency: 8,
        MaxFrequencyOC: 16,
        Voltage: 24,
        VoltageMax: 28,
        VoltageMaxOC: 32,
        MaxTransitionLatency: 36,
    }
    DXGK_ADAPTER_PERFDATA = 53 {
        MemoryFrequency: 0,
        MaxMemoryFrequency: 8,
        MaxMemoryFrequencyOC: 16,
        MemoryBandwidth: 24,
        PCIEBandwidth: 32,
        FanRPM: 40,
        Power: 44,
        Temperature: 48,
        PowerStateOverride: 52,
    }
    DXGK_ADAPTER_PERFDATACAPS = 28 {
        MaxMemoryBandwidth: 0,
        MaxPCIEBandwidth: 8,
        MaxFanRPM: 16,
        TemperatureMax: 20,
        TemperatureWarning: 24,
    }
    DXGK_GPUVERSION = 128 {
        BiosVersion: 0,
        GpuArchitecture: 64,
    }
    DXGK_NATIVE_FENCE_CAPS = 56 {
        MonitoredValueStride: 0,
        MapToGpuSystemProcess: 4,
        MinimumAddress: 8,
        MaximumAddress: 16,
        Reserved: 24,
    }
    DXGK_USERMODESUBMISSION_CAPS = 28 {
        Flags: 0,
        DoorbellSizeInBytes: 4,
        SecondaryDoorbellSizeInBytes: 8,
        Reserved: 12,
    }
    DXGK_USERMODESUBMISSION_CAPS_Flags = 4 {
    }
    DXGK_DIRTY_BIT_TRACKING_CAPS = 4 {
    }
    DXGK_DIRTY_BIT_TRACKING_SEGMENT_CAPS = 4 {
        PageSize: 0,
    }
    DXGK_64_BIT_ONLY_CAPS = 4 {
    }
    DXGK_FRAMEBUFFERSAVEAREA = 8 {
        MaximumSize: 0,
    }
    DXGK_HARDWARERESERVEDRANGES = 16 {
        NumRanges: 0,
        pPhysicalRanges: 8,
    }
    DXGK_PHYSICAL_MEMORY_RANGE = 16 {
        BaseAddress: 0,
        NumberOfBytes: 8,
    }
    DXGK_QUERYSCATTERRESERVEIN = 4 {
        SegmentId: 0,
    }
    DXGK_QUERYSCATTERRESERVEOUT = 8 {
        SetVGPUResourcesPageSize: 0,
    }
    DXGK_QUERYPAGINGBUFFERINFOIN = 4 {
        PhysicalAdapterIndex: 0,
        Reserved: 2,
    }
    DXGK_QUERYPAGINGBUFFERINFOOUT = 8 {
        PagingBufferSize: 0,
        PagingBufferPrivateDataSize: 4,
    }
    DXGK_QUERYMMUCOUNTIN = 8 {
        PhysicalAdapterIndex: 0,
        Padding: 2,
        Reserved: 4,
    }
    DXGK_QUERYMMUCOUNTOUT = 8 {
        MmuCount: 0,
        Padding: 2,
        Reserved: 4,
    }
    DXGK_DISPLAY_DRIVERCAPS_EXTENSION = 4 {
    }
    DXGK_QAISOURCEIN = 4 {
        Source: 0,
    }
    DXGK_QAITARGETIN = 4 {
        TargetId: 0,
    }
    DXGK_GPUPCAPS = 4 {
        Caps: 0,
    }
    DXGK_GPUPCAPS_Caps = 4 {
    }
}
