//! Paging DDIs, processes, devices, allocations, fences of the fake driver.

use carillon_ddi::{
    DRIVER_INITIALIZATION_DATA, DXGK_BUILDPAGINGBUFFER_OPERATION as Kind,
    DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE, DXGK_PAGETABLEUPDATEMODE, DXGK_PTE,
    DXGKARG_BUILDPAGINGBUFFER, DXGKARG_CLOSEALLOCATION, DXGKARG_CLOSENATIVEFENCE,
    DXGKARG_CREATEALLOCATION, DXGKARG_CREATEDEVICE, DXGKARG_CREATENATIVEFENCE,
    DXGKARG_CREATEPROCESS, DXGKARG_DESTROYALLOCATION, DXGKARG_DESTROYNATIVEFENCE,
    DXGKARG_OPENALLOCATION, DXGKARG_OPENNATIVEFENCE, DXGKARG_SETROOTPAGETABLE,
    DXGKARG_SUBMITCOMMANDVIRTUAL, DXGKARG_UPDATEMONITOREDVALUES, HANDLE, NTSTATUS,
};

use super::gpu::encode;
use super::{Fault, OK, SYSTEM_CONTEXT, completed, fake, fresh, log, raw};

const FULL: NTSTATUS = NTSTATUS::STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER;

pub(crate) fn fill(table: &mut DRIVER_INITIALIZATION_DATA) {
    table.DxgkDdiBuildPagingBuffer = Some(build);
    table.DxgkDdiSubmitCommandVirtual = Some(submit);
    table.DxgkDdiSetRootPageTable = Some(set_root);
    table.DxgkDdiCreateProcess = Some(create_process);
    table.DxgkDdiDestroyProcess = Some(destroy_process);
    table.DxgkDdiCreateDevice = Some(create_device);
    table.DxgkDdiDestroyDevice = Some(destroy_device);
    table.DxgkDdiCreateAllocation = Some(create_allocation);
    table.DxgkDdiDestroyAllocation = Some(destroy_allocation);
    table.DxgkDdiOpenAllocation = Some(open_allocation);
    table.DxgkDdiCloseAllocation = Some(close_allocation);
    table.DxgkDdiCreateNativeFence = Some(create_fence);
    table.DxgkDdiDestroyNativeFence = Some(destroy_fence);
    table.DxgkDdiOpenNativeFence = Some(open_fence);
    table.DxgkDdiCloseNativeFence = Some(close_fence);
    table.DxgkDdiUpdateMonitoredValues = Some(update_monitored);
}

// SAFETY for all reads of arguments below: the model lends valid structures for each call.

fn entry_of(update: &DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE, index: u32) -> u64 {
    let index = if update.Flags.Repeat() {
        0
    } else {
        index as usize
    };
    // SAFETY: the array has one entry for each that changes, or one if they repeat.
    let pte: DXGK_PTE = unsafe { update.pPageTableEntries.wrapping_add(index).read() };
    encode(
        pte.flags().Valid(),
        pte.flags().Segment(),
        pte.address() * 4096,
    )
}

fn words(args: &DXGKARG_BUILDPAGINGBUFFER) -> Result<Vec<u64>, u32> {
    match args.Operation {
        Kind::DXGK_OPERATION_UPDATE_PAGE_TABLE => {
            // SAFETY: the operation names the arm.
            let update = unsafe { args.Anonymous.UpdatePageTable };
            // SAFETY: the mode names the arm.
            let at = unsafe { update.PageTableAddress.GpuPhysical };
            let room = (args.DmaSize as usize / 8).saturating_sub(4);
            let left = update.NumPageTableEntries - args.MultipassOffset;
            let count = left.min(u32::try_from(room).unwrap());
            let first = args.MultipassOffset;
            let start = at.SegmentOffset + u64::from(update.StartIndex + first) * 8;
            let mut words = vec![1, at.SegmentId.into(), start, count.into()];
            words.extend((first..first + count).map(|index| entry_of(&update, index)));
            if count == 0 || words.len() * 8 > args.DmaSize as usize {
                Err(0)
            } else {
                Ok(words)
            }
        }
        Kind::DXGK_OPERATION_VIRTUAL_FILL => {
            // SAFETY: the operation names the arm.
            let fill = unsafe { args.Anonymous.FillVirtual };
            let pattern = fill.FillPattern.into();
            Ok(vec![
                2,
                fill.DestinationVirtualAddress,
                fill.FillSizeInBytes,
                pattern,
            ])
        }
        Kind::DXGK_OPERATION_VIRTUAL_TRANSFER => {
            // SAFETY: the operation names the arm.
            let transfer = unsafe { args.Anonymous.TransferVirtual };
            let (from, to) = (
                transfer.SourceVirtualAddress,
                transfer.DestinationVirtualAddress,
            );
            Ok(vec![3, from, to, transfer.TransferSizeInBytes])
        }
        Kind::DXGK_OPERATION_FLUSH_TLB => {
            // SAFETY: the operation names the arm.
            let flush = unsafe { args.Anonymous.FlushTlb };
            Ok(vec![
                4,
                flush.StartVirtualAddress,
                flush.EndVirtualAddress,
                0,
            ])
        }
        other => panic!("operation {} was not asked for", other.0),
    }
}

unsafe extern "win64" fn build(_: HANDLE, args: *mut DXGKARG_BUILDPAGINGBUFFER) -> NTSTATUS {
    // SAFETY: lent for the call.
    let args = unsafe { &mut *args };
    if args.Operation == Kind::DXGK_OPERATION_UPDATE_PAGE_TABLE {
        fake().updates += 1;
        // SAFETY: the operation names the arm.
        let update = unsafe { args.Anonymous.UpdatePageTable };
        if update.UpdateMode == DXGK_PAGETABLEUPDATEMODE::DXGK_PAGETABLEUPDATE_CPU_VIRTUAL {
            assert!(args.pDmaBuffer.is_null());
            // SAFETY: the mode names the arm.
            let table = unsafe { update.PageTableAddress.CpuVirtual }.cast::<u64>();
            for index in 0..update.NumPageTableEntries {
                let value = entry_of(&update, index);
                let entry = table.wrapping_add((update.StartIndex + index) as usize);
                // SAFETY: the table has an entry of that index.
                unsafe { entry.write_volatile(value) };
            }
            return OK;
        }
    }
    let Ok(words) = words(args) else { return FULL };
    if words.len() * 8 > args.DmaSize as usize {
        return FULL;
    }
    let mut at = args.pDmaBuffer.cast::<u64>();
    for word in &words {
        // SAFETY: the words fit into the rest of the buffer.
        unsafe { at.write_volatile(*word) };
        at = at.wrapping_add(1);
    }
    if fake().fault == Fault::OverrunsPagingBuffer {
        let past = args
            .pDmaBuffer
            .cast::<u8>()
            .wrapping_add(args.DmaSize as usize);
        // SAFETY: a page behind the buffer is mapped; that is what the test is about.
        unsafe { past.write_volatile(0) };
    }
    args.pDmaBuffer = at.cast();
    args.DmaSize -= u32::try_from(words.len() * 8).unwrap();
    if args.Operation == Kind::DXGK_OPERATION_UPDATE_PAGE_TABLE {
        // SAFETY: the operation names the arm.
        let update = unsafe { args.Anonymous.UpdatePageTable };
        args.MultipassOffset += u32::try_from(words[3]).unwrap();
        if args.MultipassOffset < update.NumPageTableEntries {
            return FULL;
        }
    }
    OK
}

unsafe extern "win64" fn submit(_: HANDLE, args: *const DXGKARG_SUBMITCOMMANDVIRTUAL) -> NTSTATUS {
    // SAFETY: lent for the call.
    let args = unsafe { *args };
    assert_eq!(
        (args.hContext.addr(), args.DmaBufferSize % 8),
        (SYSTEM_CONTEXT, 0)
    );
    let mut fake = fake();
    let bytes = args.DmaBufferSize as usize;
    let buffer = fake.read_virtual(SYSTEM_CONTEXT, args.DmaBufferVirtualAddress, bytes);
    let buffer = buffer.expect("the paging buffer is not mapped");
    let word = |i: usize| u64::from_le_bytes(buffer[i * 8..i * 8 + 8].try_into().unwrap());
    let mut at = 0;
    while at * 8 < bytes {
        match word(at) {
            1 => {
                let count = usize::try_from(word(at + 3)).unwrap();
                let segment = u32::try_from(word(at + 1)).unwrap();
                for i in 0..count {
                    let target = (segment, word(at + 2) + 8 * i as u64);
                    fake.write_physical(target, &word(at + 4 + i).to_le_bytes());
                }
                at += count;
            }
            2 => {
                let pattern = u32::try_from(word(at + 3)).unwrap().to_le_bytes();
                let len = usize::try_from(word(at + 2)).unwrap();
                let data: Vec<u8> = pattern.iter().copied().cycle().take(len).collect();
                fake.write_virtual(SYSTEM_CONTEXT, word(at + 1), &data)
                    .expect("page fault");
            }
            3 => {
                let len = usize::try_from(word(at + 3)).unwrap();
                let data = fake.read_virtual(SYSTEM_CONTEXT, word(at + 1), len);
                let data = data.expect("page fault");
                fake.write_virtual(SYSTEM_CONTEXT, word(at + 2), &data)
                    .expect("page fault");
            }
            4 => fake.flushes.push((word(at + 1), word(at + 2))),
            other => panic!("{other} is no command"),
        }
        at += 4;
    }
    drop(fake);
    completed(args.SubmissionFenceId);
    OK
}

unsafe extern "win64" fn set_root(_: HANDLE, args: *const DXGKARG_SETROOTPAGETABLE) {
    // SAFETY: lent for the call.
    let args = unsafe { *args };
    assert_eq!(args.NumEntries, 512);
    let root = (args.Address.SegmentId, args.Address.SegmentOffset);
    fake().roots.insert(args.hContext.addr(), root);
}

unsafe extern "win64" fn create_process(_: HANDLE, args: *mut DXGKARG_CREATEPROCESS) -> NTSTATUS {
    // SAFETY: lent for the call.
    unsafe { (*args).hKmdProcess = raw(fresh()) };
    log("CreateProcess");
    OK
}

unsafe extern "win64" fn destroy_process(_: HANDLE, _: HANDLE) -> NTSTATUS {
    log("DestroyProcess");
    OK
}

unsafe extern "win64" fn create_device(_: HANDLE, args: *mut DXGKARG_CREATEDEVICE) -> NTSTATUS {
    // SAFETY: lent for the call.
    unsafe { (*args).hDevice = raw(fresh()) };
    OK
}

unsafe extern "win64" fn destroy_device(_: HANDLE) -> NTSTATUS {
    log("DestroyDevice");
    OK
}

/// Private data: placement (0 system, 1 local, 2 a segment that does not exist), pages.
unsafe extern "win64" fn create_allocation(
    _: HANDLE,
    args: *mut DXGKARG_CREATEALLOCATION,
) -> NTSTATUS {
    // SAFETY: lent for the call.
    let list = unsafe { (*args).pAllocationInfo };
    // SAFETY: a list of one, lent for the call.
    let info = unsafe { &mut *list };
    if info.PrivateDriverDataSize != 2 {
        return NTSTATUS::STATUS_INVALID_PARAMETER;
    }
    // SAFETY: two bytes, as the size says.
    let [placement, pages] = unsafe { info.pPrivateDriverData.cast::<[u8; 2]>().read() };
    info.Size = usize::from(pages) * 4096;
    info.SupportedWriteSegmentSet = 1 << placement;
    info.Anonymous2.SupportedReadSegmentSet = 1 << placement;
    info.Anonymous4.FlagsWddm2 = info_flags(placement == 0);
    info.hAllocation = raw(fresh());
    OK
}

fn info_flags(cpu_visible: bool) -> carillon_ddi::DXGK_ALLOCATIONINFOFLAGS_WDDM2_0 {
    carillon_ddi::DXGK_ALLOCATIONINFOFLAGS_WDDM2_0::new().with_CpuVisible(cpu_visible)
}

unsafe extern "win64" fn destroy_allocation(
    _: HANDLE,
    _: *const DXGKARG_DESTROYALLOCATION,
) -> NTSTATUS {
    log("DestroyAllocation");
    OK
}

unsafe extern "win64" fn open_allocation(
    _: HANDLE,
    args: *const DXGKARG_OPENALLOCATION,
) -> NTSTATUS {
    use carillon_bench::dxgk::interface::Objects;
    use carillon_ddi::DXGK_HANDLE_TYPE;
    // SAFETY: lent for the call.
    let list = unsafe { (*args).pOpenAllocation };
    // SAFETY: a list of one, lent for the call.
    let info = unsafe { &mut *list };
    let manager = fake().manager.clone().and_then(|manager| manager.upgrade());
    let kind = DXGK_HANDLE_TYPE::DXGK_HANDLE_ALLOCATION;
    let data = manager.and_then(|manager| manager.handle_data(info.hAllocation, kind, false));
    assert!(
        data.is_some(),
        "DxgkCbGetHandleData does not know the allocation yet"
    );
    info.hDeviceSpecificAllocation = raw(fresh());
    OK
}

unsafe extern "win64" fn close_allocation(
    _: HANDLE,
    _: *const DXGKARG_CLOSEALLOCATION,
) -> NTSTATUS {
    log("CloseAllocation");
    OK
}

unsafe extern "win64" fn create_fence(_: HANDLE, args: *mut DXGKARG_CREATENATIVEFENCE) -> NTSTATUS {
    // SAFETY: lent for the call.
    let args = unsafe { &mut *args };
    assert_ne!(args.CurrentValueSystemProcessGpuVa, 0);
    args.hGlobalNativeFence = raw(fresh());
    OK
}

unsafe extern "win64" fn destroy_fence(_: *mut DXGKARG_DESTROYNATIVEFENCE) -> NTSTATUS {
    log("DestroyNativeFence");
    OK
}

unsafe extern "win64" fn open_fence(_: HANDLE, args: *mut DXGKARG_OPENNATIVEFENCE) -> NTSTATUS {
    // SAFETY: lent for the call.
    unsafe { (*args).hLocalNativeFence = raw(fresh()) };
    OK
}

unsafe extern "win64" fn close_fence(_: HANDLE, _: *mut DXGKARG_CLOSENATIVEFENCE) -> NTSTATUS {
    log("CloseNativeFence");
    OK
}

unsafe extern "win64" fn update_monitored(args: *const DXGKARG_UPDATEMONITOREDVALUES) -> NTSTATUS {
    // SAFETY: lent for the call.
    let args = unsafe { *args };
    assert_eq!(args.NumFences, 1);
    // SAFETY: arrays of one element.
    let target = unsafe { *args.MonitoredValueKernelCpuVa }.cast::<u64>();
    // SAFETY: as above.
    let value = unsafe { *args.UpdatedValueArray };
    // SAFETY: the value's kernel address, valid for the call.
    unsafe { target.write_volatile(value) };
    OK
}
