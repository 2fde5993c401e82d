//! A display miniport made of Rust functions, well behaved unless a test varies it, and a device
//! for it.

#![allow(non_snake_case, reason = "entry points keep the names of their slots")]

use std::cell::RefCell;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use carillon_bench::device::{Device, Function, InterruptLine};
use carillon_bench::dxgk::registration::Dxgkrnl;
use carillon_bench::nt::Nt;
use carillon_bench::trap::shared::SharedRegion;
use carillon_ddi::*;

/// What a test changes about the driver.
#[derive(Clone)]
pub(crate) struct Variation {
    pub(crate) caps: fn(&mut DXGK_DRIVERCAPS),
    pub(crate) wddm: i32,
    pub(crate) segments: fn(&mut Vec<DXGK_SEGMENTDESCRIPTOR4>),
    pub(crate) paging_segment: u32,
    pub(crate) mmu: fn(&mut DXGK_GPUMMUCAPS),
    pub(crate) level: fn(&mut DXGK_PAGE_TABLE_LEVEL_DESC),
    pub(crate) doorbells: fn(&mut DXGK_USERMODESUBMISSION_CAPS),
    pub(crate) node: fn(&mut DXGK_NODEMETADATA),
    pub(crate) support: fn(&mut DXGKARG_QUERYFEATURESUPPORT),
    pub(crate) precision: u32,
    pub(crate) sources: u32,
    pub(crate) process: usize,
    pub(crate) context_size: u32,
    pub(crate) unknown_query: NTSTATUS,
    pub(crate) start: NTSTATUS,
    pub(crate) on_interrupt: fn(&Miniport),
    pub(crate) keep_mapping: bool,
}

impl Default for Variation {
    fn default() -> Self {
        Self {
            caps: |_| {},
            wddm: DXGK_WDDMVERSION::DXGKDDI_WDDMv3_2.0,
            segments: |_| {},
            paging_segment: 1,
            mmu: |_| {},
            level: |_| {},
            doorbells: |_| {},
            node: |_| {},
            support: |_| {},
            precision: 64,
            sources: 0,
            process: 0x50,
            context_size: 4096,
            unknown_query: NTSTATUS::STATUS_NOT_SUPPORTED,
            start: NTSTATUS::STATUS_SUCCESS,
            on_interrupt: Miniport::report,
            keep_mapping: false,
        }
    }
}

thread_local! {
    static NEXT: RefCell<Variation> = RefCell::default();
}

/// The driver's context of one adapter.
pub(crate) struct Miniport {
    vary: Variation,
    interface: DXGKRNL_INTERFACE,
    registers: *mut c_void,
    fences: bool,
    doorbells: bool,
    /// Set by a test that wants the mapping's address.
    pub(crate) identification: u32,
}

impl Miniport {
    /// Reports a change of an engine's state, as a well-behaved interrupt routine.
    pub(crate) fn report(&self) {
        self.notify(
            DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_GPU_ENGINE_STATE_CHANGE,
            0,
        );
        self.queue_dpc();
    }

    /// Reports with `rest` in the bytes behind the member.
    pub(crate) fn notify(&self, kind: DXGK_INTERRUPT_TYPE, rest: u32) {
        let mut data = DXGKARGCB_NOTIFY_INTERRUPT_DATA::ZERO;
        data.InterruptType = kind;
        let mut words = [0u32; 16];
        words[2] = DXGK_ENGINE_STATE::DXGK_ENGINE_STATE_TRANSITION_TO_F1
            .0
            .cast_unsigned();
        words[15] = rest;
        data.Anonymous.Reserved = DXGKARGCB_NOTIFY_INTERRUPT_DATA_Reserved { Reserved: words };
        let notify = self.interface.DxgkCbNotifyInterrupt.unwrap();
        // SAFETY: the bench's callback, with the handle it gave and a structure that outlives it.
        unsafe { notify(self.interface.DeviceHandle, &raw mut data) };
    }

    /// Queues the deferred procedure.
    pub(crate) fn queue_dpc(&self) {
        let queue = self.interface.DxgkCbQueueDpc.unwrap();
        // SAFETY: the bench's callback, with the handle it gave.
        unsafe { queue(self.interface.DeviceHandle) };
    }

    /// Calls a function that is for PASSIVE_LEVEL.
    pub(crate) fn read_configuration(&self) {
        let (mut id, mut read) = (0u32, 0u32);
        let space = self.interface.DxgkCbReadDeviceSpace.unwrap();
        let (handle, at) = (self.interface.DeviceHandle, (&raw mut id).cast());
        // SAFETY: the bench's callback, with the handle it gave and two live numbers.
        let _ = unsafe { space(handle, DXGK_WHICHSPACE_CONFIG, at, 0, 4, &raw mut read) };
    }

    fn map_registers(&mut self) {
        let mut info = DXGK_DEVICE_INFO::ZERO;
        let get = self.interface.DxgkCbGetDeviceInformation.unwrap();
        // SAFETY: the bench's callback, with the handle it gave and a live structure.
        let status = unsafe { get(self.interface.DeviceHandle, &raw mut info) };
        assert!(status.is_success());
        // SAFETY: the bench's list, which lives as long as the adapter.
        let list = unsafe { &*info.TranslatedResourceList };
        let first = list.List[0].PartialResourceList.PartialDescriptors[0];
        // SAFETY: the first resource is a memory range.
        let memory = unsafe { first.u.Memory };
        let map = self.interface.DxgkCbMapMemory.unwrap();
        let (handle, cache) = (
            self.interface.DeviceHandle,
            MEMORY_CACHING_TYPE::MmNonCached,
        );
        let (start, bytes) = (memory.Start, memory.Length);
        let out = &raw mut self.registers;
        // SAFETY: the bench's callback, with the handle it gave and a live pointer.
        let status = unsafe { map(handle, start, bytes, 0, 0, cache, out) };
        assert!(status.is_success());
        // SAFETY: the mapping that was just made; the access traps to the device.
        self.identification = unsafe { self.registers.cast::<u32>().read_volatile() };
    }

    fn is_enabled(&self, id: DXGK_FEATURE_ID) -> bool {
        let mut features = DXGK_FEATURE_INTERFACE::ZERO;
        features.Size = 48;
        features.Version = DXGK_FEATURE_INTERFACE_VERSION_1;
        let query = self.interface.DxgkCbQueryServices.unwrap();
        let (handle, at) = (self.interface.DeviceHandle, (&raw mut features).cast());
        // SAFETY: the bench's callback, with the handle it gave and a live structure.
        if !unsafe { query(handle, DXGK_SERVICES::DxgkServicesFeature, at) }.is_success() {
            return false;
        }
        let mut args = DXGKARGCB_ISFEATUREENABLED2::ZERO;
        args.FeatureId = id;
        let enabled = features.IsFeatureEnabled.unwrap();
        // SAFETY: the bench's callback, with the handle it gave and a live structure.
        let _ = unsafe { enabled(handle, &raw mut args) };
        args.Result.Anonymous.Enabled()
    }
}

/// Makes the driver behave like this for the adapters that this thread adds from now on.
pub(crate) fn vary(variation: Variation) {
    NEXT.replace(variation);
}

/// The context behind a handle.
fn miniport<'a>(handle: HANDLE) -> &'a mut Miniport {
    // SAFETY: the bench passes what `add_device` returned, and the fields that it changes belong
    // to exclusive calls.
    unsafe { &mut *handle.cast::<Miniport>() }
}

unsafe extern "win64" fn add_device(_object: PVOID, context: *mut PVOID) -> NTSTATUS {
    let miniport = Box::new(Miniport {
        vary: NEXT.with_borrow(Clone::clone),
        interface: DXGKRNL_INTERFACE::ZERO,
        registers: std::ptr::null_mut(),
        fences: false,
        doorbells: false,
        identification: 0,
    });
    // SAFETY: the bench lends the pointer.
    unsafe { context.write(Box::into_raw(miniport).cast()) };
    NTSTATUS::STATUS_SUCCESS
}

unsafe extern "win64" fn start_device(
    context: PVOID,
    _info: *mut DXGK_START_INFO,
    interface: *mut DXGKRNL_INTERFACE,
    sources: *mut u32,
    children: *mut u32,
) -> NTSTATUS {
    let this = miniport(context);
    // SAFETY: the bench lends the table.
    this.interface = unsafe { interface.read() };
    if !this.vary.start.is_success() {
        return this.vary.start;
    }
    this.map_registers();
    this.fences = this.is_enabled(DXGK_FEATURE_ID::DXGK_FEATURE_NATIVE_FENCE);
    this.doorbells = this.is_enabled(DXGK_FEATURE_ID::DXGK_FEATURE_USER_MODE_SUBMISSION);
    // SAFETY: the bench lends both numbers.
    unsafe { sources.write(this.vary.sources) };
    // SAFETY: as above.
    unsafe { children.write(0) };
    NTSTATUS::STATUS_SUCCESS
}

unsafe extern "win64" fn stop_device(context: PVOID) -> NTSTATUS {
    let this = miniport(context);
    if !this.vary.keep_mapping {
        let unmap = this.interface.DxgkCbUnmapMemory.unwrap();
        // SAFETY: the bench's callback, with the handle it gave and the mapping it made.
        let _ = unsafe { unmap(this.interface.DeviceHandle, this.registers) };
    }
    NTSTATUS::STATUS_SUCCESS
}

unsafe extern "win64" fn remove_device(context: PVOID) -> NTSTATUS {
    // SAFETY: the pointer of `add_device`, given back once.
    drop(unsafe { Box::from_raw(context.cast::<Miniport>()) });
    NTSTATUS::STATUS_SUCCESS
}

unsafe extern "win64" fn unload() {}

unsafe extern "win64" fn interrupt(context: PVOID, _message: u32) -> BOOLEAN {
    let this = miniport(context);
    (this.vary.on_interrupt)(this);
    1
}

unsafe extern "win64" fn dpc(context: PVOID) {
    let this = miniport(context);
    let notify = this.interface.DxgkCbNotifyDpc.unwrap();
    // SAFETY: the bench's callback, with the handle it gave.
    unsafe { notify(this.interface.DeviceHandle) };
}

unsafe extern "win64" fn children(_: PVOID, _: *mut DXGK_CHILD_DESCRIPTOR, _: u32) -> NTSTATUS {
    NTSTATUS::STATUS_SUCCESS
}

unsafe extern "win64" fn nothing(_context: PVOID) {}

unsafe extern "win64" fn query_interface(context: PVOID, query: *mut QUERY_INTERFACE) -> NTSTATUS {
    // SAFETY: the bench lends the query.
    let query = unsafe { &*query };
    // SAFETY: the query names a live identifier.
    let guid = unsafe { &*query.InterfaceType };
    if guid.Data1 != GUID_WDDM_INTERFACE_FEATURE.Data1 || query.Version != 1 {
        return NTSTATUS::STATUS_NOT_SUPPORTED;
    }
    if query.Size < 48 {
        return NTSTATUS::STATUS_BUFFER_TOO_SMALL;
    }
    let answer = DXGKDDI_FEATURE_INTERFACE {
        Size: 48,
        Version: DXGKDDI_FEATURE_INTERFACE_VERSION_1,
        Context: context,
        InterfaceReference: Some(nothing),
        InterfaceDereference: Some(nothing),
        QueryFeatureSupport: Some(feature_support),
        QueryFeatureInterface: Some(feature_interface),
    };
    // SAFETY: the buffer has `Size` bytes.
    unsafe {
        query
            .Interface
            .cast::<DXGKDDI_FEATURE_INTERFACE>()
            .write(answer);
    };
    NTSTATUS::STATUS_SUCCESS
}

unsafe extern "win64" fn feature_support(
    context: HANDLE,
    args: *mut DXGKARG_QUERYFEATURESUPPORT,
) -> NTSTATUS {
    // SAFETY: the bench lends the arguments.
    let args = unsafe { &mut *args };
    let experimental = args.FeatureId == DXGK_FEATURE_ID::DXGK_FEATURE_USER_MODE_SUBMISSION;
    if ![0, 4, 37].contains(&args.FeatureId.0) {
        return NTSTATUS::STATUS_INVALID_PARAMETER;
    }
    (args.MinSupportedVersion, args.MaxSupportedVersion) = (1, 1);
    args.SupportedByDriver = u8::from(!experimental || args.AllowExperimental != 0);
    args.SupportedOnCurrentConfig = args.SupportedByDriver;
    (miniport(context).vary.support)(args);
    NTSTATUS::STATUS_SUCCESS
}

unsafe extern "win64" fn feature_interface(
    _context: HANDLE,
    _args: *mut DXGKARG_QUERYFEATUREINTERFACE,
) -> NTSTATUS {
    NTSTATUS::STATUS_NOT_SUPPORTED
}

/// Writes `value` to the output of a query if it fits.
fn answer<T>(query: &DXGKARG_QUERYADAPTERINFO, value: T) -> NTSTATUS {
    if usize::try_from(query.OutputDataSize).unwrap() < size_of::<T>() {
        return NTSTATUS::STATUS_INVALID_PARAMETER;
    }
    // SAFETY: the output has room for the value.
    unsafe { query.pOutputData.cast::<T>().write_unaligned(value) };
    NTSTATUS::STATUS_SUCCESS
}

unsafe extern "win64" fn query_adapter_info(
    context: HANDLE,
    query: *const DXGKARG_QUERYADAPTERINFO,
) -> NTSTATUS {
    type Type = DXGK_QUERYADAPTERINFOTYPE;
    // SAFETY: the bench lends the query.
    let query = unsafe { &*query };
    let this = miniport(context);
    match query.Type {
        Type::DXGKQAITYPE_WDDMDEVICECAPS => answer(query, this.vary.wddm),
        Type::DXGKQAITYPE_PHYSICAL_MEMORY_CAPS => answer(query, u64::MAX),
        Type::DXGKQAITYPE_IOMMU_CAPS | Type::DXGKQAITYPE_NUMPOWERCOMPONENTS => answer(query, 0u32),
        Type::DXGKQAITYPE_DRIVERCAPS => answer(query, driver_caps(this)),
        Type::DXGKQAITYPE_HISTORYBUFFERPRECISION => answer(query, [this.vary.precision; 2]),
        Type::DXGKQAITYPE_QUERYSEGMENT4 => segments(this, query),
        Type::DXGKQAITYPE_GPUMMUCAPS => {
            let mut caps = DXGK_GPUMMUCAPS::ZERO;
            caps.PageTableUpdateMode = DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_GPU_PHYSICAL;
            (caps.VirtualAddressBitCount, caps.PageTableLevelCount) = (39, 3);
            (this.vary.mmu)(&mut caps);
            answer(query, caps)
        }
        Type::DXGKQAITYPE_PAGETABLELEVELDESC => {
            let mut level = DXGK_PAGE_TABLE_LEVEL_DESC::ZERO;
            (level.PageTableIndexBitCount, level.PageTableSizeInBytes) = (9, 4096);
            (this.vary.level)(&mut level);
            answer(query, level)
        }
        Type::DXGKQAITYPE_NATIVE_FENCE_CAPS if this.fences => {
            answer(query, DXGK_NATIVE_FENCE_CAPS::ZERO)
        }
        Type::DXGKQAITYPE_USERMODESUBMISSION_CAPS if this.doorbells => {
            let mut caps = DXGK_USERMODESUBMISSION_CAPS::ZERO;
            caps.DoorbellSizeInBytes = 4096;
            (this.vary.doorbells)(&mut caps);
            answer(query, caps)
        }
        _ => this.vary.unknown_query,
    }
}

fn driver_caps(this: &Miniport) -> DXGK_DRIVERCAPS {
    let mut caps = DXGK_DRIVERCAPS::ZERO;
    caps.WDDMVersion = DXGK_WDDMVERSION::DXGKDDI_WDDMv3_2;
    caps.HighestAcceptableAddress = PHYSICAL_ADDRESS::new(u64::MAX);
    caps.FlipCaps = DXGK_FLIPCAPS::new().with_FlipOnVSyncMmIo(true);
    caps.MaxQueuedFlipOnVSync = 1;
    caps.SchedulingCaps = DXGK_VIDSCHCAPS::new()
        .with_MultiEngineAware(true)
        .with_PreemptionAware(true)
        .with_NativeGpuFence(this.fences);
    caps.MemoryManagementCaps.Anonymous = DXGK_VIDMMCAPS_Anonymous::new()
        .with_VirtualAddressingSupported(true)
        .with_GpuMmuSupported(true);
    caps.MemoryManagementCaps.PagingNode = 1;
    caps.GpuEngineTopology.NbAsymetricProcessingNodes = 2;
    (this.vary.caps)(&mut caps);
    caps
}

fn segments(this: &Miniport, query: &DXGKARG_QUERYADAPTERINFO) -> NTSTATUS {
    let mut aperture = DXGK_SEGMENTDESCRIPTOR4::ZERO;
    aperture.Flags = DXGK_SEGMENTFLAGS::new()
        .with_Aperture(true)
        .with_CacheCoherent(true);
    (aperture.Size, aperture.CommitLimit) = (1 << 30, 1 << 30);
    let mut local = DXGK_SEGMENTDESCRIPTOR4::ZERO;
    (local.Size, local.CommitLimit) = (1 << 28, 1 << 28);
    let mut list = vec![aperture, local];
    (this.vary.segments)(&mut list);
    // SAFETY: the output of this query is the structure.
    let out = unsafe { &mut *query.pOutputData.cast::<DXGK_QUERYSEGMENTOUT4>() };
    out.NbSegment = u32::try_from(list.len()).unwrap();
    if out.pSegmentDescriptor.is_null() {
        return NTSTATUS::STATUS_SUCCESS;
    }
    for (index, segment) in list.iter().enumerate() {
        let at = out
            .pSegmentDescriptor
            .wrapping_add(index * out.SegmentDescriptorStride);
        // SAFETY: the bench lends as many descriptors as were reported, at this stride.
        unsafe {
            at.cast::<DXGK_SEGMENTDESCRIPTOR4>()
                .write_unaligned(*segment);
        };
    }
    out.PagingBufferSegmentId = this.vary.paging_segment;
    out.PagingBufferSize = 65536;
    NTSTATUS::STATUS_SUCCESS
}

unsafe extern "win64" fn node_metadata(
    context: HANDLE,
    node: u32,
    out: *mut DXGK_NODEMETADATA,
) -> NTSTATUS {
    let this = miniport(context);
    if node > 1 {
        return NTSTATUS::STATUS_INVALID_PARAMETER;
    }
    let mut metadata = DXGK_NODEMETADATA::ZERO;
    let copy = node == 1;
    metadata.EngineType = if copy {
        DXGK_ENGINE_TYPE::DXGK_ENGINE_TYPE_COPY
    } else {
        DXGK_ENGINE_TYPE::DXGK_ENGINE_TYPE_3D
    };
    let scheduled = this.is_enabled(DXGK_FEATURE_ID::DXGK_FEATURE_HWSCH) && !copy;
    metadata.Flags = DXGK_NODEMETADATA_FLAGS::new()
        .with_ContextSchedulingSupported(scheduled)
        .with_UserModeSubmission(this.doorbells && !copy);
    metadata.GpuMmuSupported = 1;
    (this.vary.node)(&mut metadata);
    // SAFETY: the bench lends the structure.
    unsafe { out.write(metadata) };
    NTSTATUS::STATUS_SUCCESS
}

unsafe extern "win64" fn create_process(
    context: HANDLE,
    args: *mut DXGKARG_CREATEPROCESS,
) -> NTSTATUS {
    let handle = std::ptr::without_provenance_mut(miniport(context).vary.process);
    // SAFETY: the bench lends the arguments.
    unsafe { (*args).hKmdProcess = handle };
    NTSTATUS::STATUS_SUCCESS
}

unsafe extern "win64" fn destroy_process(_: HANDLE, _: HANDLE) -> NTSTATUS {
    NTSTATUS::STATUS_SUCCESS
}

unsafe extern "win64" fn create_device(
    context: HANDLE,
    args: *mut DXGKARG_CREATEDEVICE,
) -> NTSTATUS {
    // SAFETY: the bench lends the arguments.
    unsafe { (*args).hDevice = context };
    NTSTATUS::STATUS_SUCCESS
}

unsafe extern "win64" fn create_context(
    device: HANDLE,
    args: *mut DXGKARG_CREATECONTEXT,
) -> NTSTATUS {
    // SAFETY: the bench lends the arguments.
    let args = unsafe { &mut *args };
    args.hContext = std::ptr::without_provenance_mut(0x70);
    args.ContextInfo.DmaBufferSize = miniport(device).vary.context_size;
    args.ContextInfo.DmaBufferSegmentSet = 1;
    NTSTATUS::STATUS_SUCCESS
}

unsafe extern "win64" fn destroy(_object: HANDLE) -> NTSTATUS {
    NTSTATUS::STATUS_SUCCESS
}

unsafe extern "win64" fn bands(_: HANDLE, _: *const DXGKARG_SETUPPRIORITYBANDS) -> NTSTATUS {
    NTSTATUS::STATUS_SUCCESS
}

unsafe extern "win64" fn never() -> NTSTATUS {
    NTSTATUS::STATUS_NOT_SUPPORTED
}

/// The driver's table: every base slot and everything that the features need.
pub(crate) fn table() -> DRIVER_INITIALIZATION_DATA {
    let mut words = [never as *const () as u64; size_of::<DRIVER_INITIALIZATION_DATA>() / 8];
    words[0] = u64::from(DXGKDDI_INTERFACE_VERSION_WDDM3_2);
    // SAFETY: a version and pointers; those that stay `never` are not called by these tests.
    let every = unsafe { std::mem::transmute::<[u64; 193], DRIVER_INITIALIZATION_DATA>(words) };
    DRIVER_INITIALIZATION_DATA {
        DxgkDdiAddDevice: Some(add_device),
        DxgkDdiStartDevice: Some(start_device),
        DxgkDdiStopDevice: Some(stop_device),
        DxgkDdiRemoveDevice: Some(remove_device),
        DxgkDdiUnload: Some(unload),
        DxgkDdiInterruptRoutine: Some(interrupt),
        DxgkDdiDpcRoutine: Some(dpc),
        DxgkDdiQueryChildRelations: Some(children),
        DxgkDdiQueryInterface: Some(query_interface),
        DxgkDdiQueryAdapterInfo: Some(query_adapter_info),
        DxgkDdiGetNodeMetadata: Some(node_metadata),
        DxgkDdiCreateProcess: Some(create_process),
        DxgkDdiDestroyProcess: Some(destroy_process),
        DxgkDdiCreateDevice: Some(create_device),
        DxgkDdiDestroyDevice: Some(destroy),
        DxgkDdiCreateContext: Some(create_context),
        DxgkDdiDestroyContext: Some(destroy),
        DxgkDdiSetupPriorityBands: Some(bands),
        ..every
    }
}

/// Registers that answer a constant.
#[derive(Default)]
pub(crate) struct Registers {
    pub(crate) reads: AtomicU64,
}

/// What offset 0 holds.
pub(crate) const IDENTIFICATION: u32 = 0xCA11_1234;

impl Function for Registers {
    fn register_read(&self, offset: u64, _width: u8) -> u64 {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if offset == 0 {
            u64::from(IDENTIFICATION)
        } else {
            0
        }
    }

    fn register_write(&self, _offset: u64, _width: u8, _value: u64) {}

    fn config_read(&self, _offset: u16, _width: u8) -> u32 {
        0
    }

    fn config_write(&self, _offset: u16, _width: u8, _value: u32) {}
}

/// A session with the driver registered, and a device.
pub(crate) fn machine(table: &DRIVER_INITIALIZATION_DATA) -> (Arc<Dxgkrnl>, Arc<Device>) {
    let nt = Nt::new().unwrap();
    let dxgkrnl = Dxgkrnl::new(nt).unwrap();
    dxgkrnl.register(*table).unwrap();
    let region = |name| SharedRegion::new(name, 16 * 4096).unwrap();
    let function = Arc::new(Registers::default());
    let device = Device::new(
        function,
        region("bar2"),
        region("bar4"),
        InterruptLine::new(),
    );
    (dxgkrnl, device)
}
