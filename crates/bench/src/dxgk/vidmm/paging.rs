//! The paging queue: operations become paging buffers, buffers are submitted and waited for.

use std::sync::Arc;

use carillon_ddi::{
    D3DGPU_PHYSICAL_ADDRESS, DXGK_BUILDPAGINGBUFFER_FILLVIRTUAL, DXGK_BUILDPAGINGBUFFER_FLUSHTLB,
    DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY, DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY_Anonymous,
    DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY_Anonymous_Anonymous, DXGK_BUILDPAGINGBUFFER_OPERATION,
    DXGK_BUILDPAGINGBUFFER_TRANSFERVIRTUAL, DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE,
    DXGK_MEMORY_TRANSFER_DIRECTION, DXGK_PAGETABLEUPDATEADDRESS, DXGK_PAGETABLEUPDATEMODE,
    DXGK_PTE, DXGK_SUBMITCOMMANDFLAGS, DXGK_UPDATEPAGETABLEFLAGS, DXGKARG_BUILDPAGINGBUFFER,
    DXGKARG_BUILDPAGINGBUFFER_Anonymous, DXGKARG_SETROOTPAGETABLE, DXGKARG_SUBMITCOMMANDVIRTUAL,
    NTSTATUS,
};
use parking_lot::{Mutex, MutexGuard};

use super::MmError;
use super::geometry::{GPU_PAGE, MemoryFacts};
use super::place::SystemPages;
use crate::dxgk::driver::{DdiError, Driver, Guarded};
use crate::dxgk::handle::KmdHandle;
use crate::dxgk::objects::completion::Completions;

/// What is behind the paging buffer, so that writing past it is seen.
const TAIL: u8 = 0xA5;
/// Passes after which an operation counts as stuck.
const PASS_LIMIT: u32 = 4096;

/// Where a page table is updated.
#[derive(Debug, Clone, Copy)]
pub enum TableAddress {
    /// By the CPU at once, without a paging buffer.
    Cpu(*mut u8),
    /// By the paging buffer.
    Gpu(D3DGPU_PHYSICAL_ADDRESS),
}

/// A page-table update.
#[derive(Debug)]
pub struct TableUpdate<'a> {
    /// Level of the table, 0 for the leaf.
    pub level: u32,
    /// The table.
    pub table: TableAddress,
    /// First entry that changes.
    pub start: u32,
    /// Number of entries.
    pub count: u32,
    /// One value for each entry, or one for all of them if `repeat` is set.
    pub entries: &'a [DXGK_PTE],
    /// See `entries`.
    pub repeat: bool,
    /// The table is written for the first time.
    pub initial: bool,
    /// The process whose table it is.
    pub process: KmdHandle,
    /// The allocation that leaf entries map, if the driver knows it.
    pub allocation: KmdHandle,
    /// Byte offset in the allocation of the first page mapped.
    pub offset: u64,
    /// Address that the first entry translates.
    pub address: u64,
}

/// A paging operation.
#[derive(Debug)]
pub enum Op<'a> {
    /// `DXGK_OPERATION_UPDATE_PAGE_TABLE`
    Update(TableUpdate<'a>),
    /// `DXGK_OPERATION_FLUSH_TLB` from `start` to `end`; both 0 mean everything.
    FlushTlb {
        /// Root page table of the process.
        root: D3DGPU_PHYSICAL_ADDRESS,
        /// The process.
        process: KmdHandle,
        /// First address.
        start: u64,
        /// Address behind the last.
        end: u64,
    },
    /// `DXGK_OPERATION_VIRTUAL_FILL`
    Fill {
        /// The allocation.
        allocation: KmdHandle,
        /// Byte offset in it.
        offset: u64,
        /// Number of bytes.
        bytes: u64,
        /// The value to fill with.
        pattern: u32,
        /// Where it is mapped in the paging process.
        address: u64,
    },
    /// `DXGK_OPERATION_VIRTUAL_TRANSFER`
    Transfer {
        /// The allocation.
        allocation: KmdHandle,
        /// Byte offset in it.
        offset: u64,
        /// Number of bytes.
        bytes: u64,
        /// Address of the source in the paging process.
        source: u64,
        /// Address of the destination in the paging process.
        destination: u64,
        /// Between which memories.
        direction: DXGK_MEMORY_TRANSFER_DIRECTION,
    },
    /// `DXGK_OPERATION_NOTIFY_RESIDENCY`; no address means evicted.
    NotifyResidency {
        /// The allocation.
        allocation: KmdHandle,
        /// Where it is now.
        at: Option<D3DGPU_PHYSICAL_ADDRESS>,
    },
}

impl Op<'_> {
    fn is_immediate(&self) -> bool {
        matches!(
            self,
            Self::Update(TableUpdate {
                table: TableAddress::Cpu(_),
                ..
            })
        )
    }

    /// The operation as the DDI names it. `entries` must live as long as the result is used.
    fn encode(
        &self,
        entries: *mut DXGK_PTE,
    ) -> (
        DXGK_BUILDPAGINGBUFFER_OPERATION,
        DXGKARG_BUILDPAGINGBUFFER_Anonymous,
    ) {
        type Kind = DXGK_BUILDPAGINGBUFFER_OPERATION;
        let mut arm = DXGKARG_BUILDPAGINGBUFFER_Anonymous::ZERO;
        let kind = match self {
            Self::Update(update) => {
                arm.UpdatePageTable = update.encode(entries);
                Kind::DXGK_OPERATION_UPDATE_PAGE_TABLE
            }
            Self::FlushTlb {
                root,
                process,
                start,
                end,
            } => {
                arm.FlushTlb = DXGK_BUILDPAGINGBUFFER_FLUSHTLB {
                    RootPageTableAddress: *root,
                    hProcess: process.raw(),
                    StartVirtualAddress: *start,
                    EndVirtualAddress: *end,
                };
                Kind::DXGK_OPERATION_FLUSH_TLB
            }
            Self::Fill {
                allocation,
                offset,
                bytes,
                pattern,
                address,
            } => {
                arm.FillVirtual = DXGK_BUILDPAGINGBUFFER_FILLVIRTUAL {
                    hAllocation: allocation.raw(),
                    AllocationOffsetInBytes: *offset,
                    FillSizeInBytes: *bytes,
                    FillPattern: *pattern,
                    DestinationVirtualAddress: *address,
                };
                Kind::DXGK_OPERATION_VIRTUAL_FILL
            }
            Self::Transfer {
                allocation,
                offset,
                bytes,
                source,
                destination,
                direction,
            } => {
                arm.TransferVirtual = DXGK_BUILDPAGINGBUFFER_TRANSFERVIRTUAL {
                    hAllocation: allocation.raw(),
                    AllocationOffsetInBytes: *offset,
                    TransferSizeInBytes: *bytes,
                    SourceVirtualAddress: *source,
                    DestinationVirtualAddress: *destination,
                    TransferDirection: *direction,
                    ..DXGK_BUILDPAGINGBUFFER_TRANSFERVIRTUAL::ZERO
                };
                Kind::DXGK_OPERATION_VIRTUAL_TRANSFER
            }
            Self::NotifyResidency { allocation, at } => {
                arm.NotifyResidency = encode_residency(*allocation, *at);
                Kind::DXGK_OPERATION_NOTIFY_RESIDENCY
            }
        };
        (kind, arm)
    }
}

fn encode_residency(
    allocation: KmdHandle,
    at: Option<D3DGPU_PHYSICAL_ADDRESS>,
) -> DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY {
    type Flags = DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY_Anonymous_Anonymous;
    DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY {
        hAllocation: allocation.raw(),
        PhysicalAddress: at.unwrap_or(D3DGPU_PHYSICAL_ADDRESS::ZERO),
        Anonymous: DXGK_BUILDPAGINGBUFFER_NOTIFYRESIDENCY_Anonymous {
            Anonymous: Flags::new().with_Resident(at.is_some()),
        },
    }
}

impl TableUpdate<'_> {
    fn encode(&self, entries: *mut DXGK_PTE) -> DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE {
        type Mode = DXGK_PAGETABLEUPDATEMODE;
        let (address, mode) = match self.table {
            TableAddress::Cpu(at) => (
                DXGK_PAGETABLEUPDATEADDRESS {
                    CpuVirtual: at.cast(),
                },
                Mode::DXGK_PAGETABLEUPDATE_CPU_VIRTUAL,
            ),
            TableAddress::Gpu(at) => (
                DXGK_PAGETABLEUPDATEADDRESS { GpuPhysical: at },
                Mode::DXGK_PAGETABLEUPDATE_GPU_PHYSICAL,
            ),
        };
        DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE {
            PageTableLevel: self.level,
            hAllocation: self.allocation.raw(),
            PageTableAddress: address,
            pPageTableEntries: entries,
            StartIndex: self.start,
            NumPageTableEntries: self.count,
            Flags: DXGK_UPDATEPAGETABLEFLAGS::new()
                .with_Repeat(self.repeat)
                .with_InitialUpdate(self.initial),
            AllocationOffsetInBytes: self.offset,
            hProcess: self.process.raw(),
            UpdateMode: mode,
            FirstPteVirtualAddress: self.address,
            ..DXGK_BUILDPAGINGBUFFER_UPDATEPAGETABLE::ZERO
        }
    }
}

/// The buffer that operations are built into, and how far it is filled.
#[derive(Debug)]
struct State {
    /// The system context; null until the paging process is set up.
    context: KmdHandle,
    /// Address of the buffer in the paging process.
    address: u64,
    written: u32,
    private_written: u32,
    fence: u32,
}

/// What the paging queue has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PagingStats {
    /// Operations built into buffers.
    pub operations: u64,
    /// Operations done by the CPU at once.
    pub immediate: u64,
    /// Buffers submitted.
    pub submissions: u64,
    /// Times that a buffer was too small for the rest of an operation.
    pub passes: u64,
}

/// The paging queue of an adapter.
#[derive(Debug)]
pub struct Paging {
    driver: Arc<Driver>,
    adapter: KmdHandle,
    completions: Arc<Completions>,
    node: u32,
    buffer: SystemPages,
    buffer_bytes: u32,
    private: Mutex<Vec<u8>>,
    state: Mutex<State>,
    stats: Mutex<PagingStats>,
}

impl Paging {
    /// Makes the queue; it can only do immediate operations until [`Self::connect`].
    ///
    /// # Errors
    /// When there is no memory for the buffer.
    pub fn new(
        driver: Arc<Driver>,
        adapter: KmdHandle,
        facts: &MemoryFacts,
        completions: Arc<Completions>,
    ) -> Result<Self, MmError> {
        let pages = u64::from(facts.paging_buffer_bytes).div_ceil(GPU_PAGE);
        // One page more holds the pattern that shows writes past the end.
        let buffer = SystemPages::contiguous(driver.nt(), pages + 1)?;
        let paging = Self {
            driver,
            adapter,
            completions,
            node: facts.paging_node,
            buffer,
            buffer_bytes: facts.paging_buffer_bytes,
            private: Mutex::new(vec![0; facts.paging_private_bytes as usize]),
            state: Mutex::new(State {
                context: KmdHandle::NULL,
                address: 0,
                written: 0,
                private_written: 0,
                fence: 0,
            }),
            stats: Mutex::default(),
        };
        paging.reset_tail();
        Ok(paging)
    }

    /// Number of pages of the buffer, to be mapped for the device.
    pub(super) fn buffer_pages(&self) -> u64 {
        self.buffer.len() - 1
    }

    /// A page of the buffer.
    pub(super) fn buffer(&self) -> &SystemPages {
        &self.buffer
    }

    /// Names the system context and where the buffer is mapped: from now on operations are
    /// submitted.
    pub fn connect(&self, context: KmdHandle, address: u64) {
        let mut state = self.state.lock();
        state.context = context;
        state.address = address;
    }

    /// What was done so far.
    #[must_use]
    pub fn stats(&self) -> PagingStats {
        *self.stats.lock()
    }

    /// The node that executes paging buffers.
    #[must_use]
    pub fn node(&self) -> u32 {
        self.node
    }

    /// Begins a batch. Batches exclude each other: this is the first synchronization level.
    pub fn batch(&self) -> Batch<'_> {
        Batch {
            paging: self,
            state: self.state.lock(),
        }
    }

    /// `DxgkDdiSetRootPageTable`, between batches.
    ///
    /// # Errors
    /// When the driver lacks the DDI or the call was abandoned.
    pub fn set_root(&self, args: &DXGKARG_SETROOTPAGETABLE) -> Result<(), MmError> {
        let _between = self.state.lock();
        Ok(self.driver.set_root_page_table(self.adapter, args)?)
    }

    fn reset_tail(&self) {
        let tail = u64::from(self.buffer_bytes);
        let bytes = self.buffer.len() * GPU_PAGE - tail;
        let pattern = vec![TAIL; usize::try_from(bytes).unwrap_or(0)];
        let _ = self.buffer.write(tail, &pattern);
    }

    /// contract: PAG-001
    fn check_tail(&self) {
        let tail = u64::from(self.buffer_bytes);
        let bytes = self.buffer.len() * GPU_PAGE - tail;
        let found = self.buffer.read(tail, usize::try_from(bytes).unwrap_or(0));
        let at = found.and_then(|found| found.iter().position(|byte| *byte != TAIL));
        if let Some(at) = at {
            self.breach(
                "PAG-001",
                &format!("byte {at} past the end of the paging buffer written"),
            );
            self.reset_tail();
        }
    }

    fn breach(&self, rule: &str, what: &str) {
        self.driver
            .breach(format!("{rule}: DxgkDdiBuildPagingBuffer: {what}"));
    }
}

/// Operations that go to the device in order, together.
#[derive(Debug)]
pub struct Batch<'a> {
    paging: &'a Paging,
    state: MutexGuard<'a, State>,
}

impl Batch<'_> {
    /// Adds an operation. Those that the CPU does are done when this returns.
    ///
    /// # Errors
    /// When the driver fails in a way that it may not, or a buffer that had to be submitted to
    /// make room does not complete.
    pub fn push(&mut self, op: &Op<'_>) -> Result<(), MmError> {
        if self.paging.completions.is_lost() {
            // The memory of a device that is gone is not paged.
            return Ok(());
        }
        let entries: &[DXGK_PTE] = match op {
            Op::Update(update) => update.entries,
            _ => &[],
        };
        // Lent next to a guard page: a driver that reads one entry too many faults.
        let lent = Guarded::from_slice(entries).map_err(|_| MmError::SystemMemory(1))?;
        let (kind, arm) = op.encode(lent.as_mut_ptr());
        let mut args = DXGKARG_BUILDPAGINGBUFFER {
            Operation: kind,
            Anonymous: arm,
            hSystemContext: self.state.context.raw(),
            ..DXGKARG_BUILDPAGINGBUFFER::ZERO
        };
        if op.is_immediate() {
            self.paging.stats.lock().immediate += 1;
            return self.build_immediate(&mut args);
        }
        if self.state.context.is_null() {
            return Err(MmError::NoPagingContext);
        }
        self.paging.stats.lock().operations += 1;
        self.build(&mut args)
    }

    /// contract: PAG-004
    fn build_immediate(&self, args: &mut DXGKARG_BUILDPAGINGBUFFER) -> Result<(), MmError> {
        self.paging
            .driver
            .build_paging_buffer(self.paging.adapter, args)?;
        if !args.pDmaBuffer.is_null() {
            self.paging
                .breach("PAG-004", "pDmaBuffer changed from NULL");
        }
        Ok(())
    }

    fn build(&mut self, args: &mut DXGKARG_BUILDPAGINGBUFFER) -> Result<(), MmError> {
        const BUSY: NTSTATUS = NTSTATUS::STATUS_GRAPHICS_ALLOCATION_BUSY;
        const FULL: NTSTATUS = NTSTATUS::STATUS_GRAPHICS_INSUFFICIENT_DMA_BUFFER;
        for _ in 0..PASS_LIMIT {
            let fresh = self.state.written == 0;
            let progress = args.MultipassOffset;
            self.lend_rest(args)?;
            let result = self
                .paging
                .driver
                .build_paging_buffer(self.paging.adapter, args);
            let wrote = self.take_rest(args);
            match result {
                Ok(()) => return Ok(()),
                Err(DdiError::Refused { status: FULL, .. }) => {
                    if fresh && wrote == 0 && args.MultipassOffset == progress {
                        self.paging
                            .breach("PAG-002", "an empty buffer is too small for any part");
                        return Err(MmError::PagingStuck);
                    }
                    self.paging.stats.lock().passes += 1;
                    self.submit()?;
                }
                Err(DdiError::Refused { status: BUSY, .. }) => {
                    self.submit()?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(MmError::PagingStuck)
    }

    /// Points the arguments to what is left of buffer and private data.
    fn lend_rest(&self, args: &mut DXGKARG_BUILDPAGINGBUFFER) -> Result<(), MmError> {
        let base = self
            .paging
            .buffer
            .kernel_address(0)
            .ok_or(MmError::SystemMemory(1))?;
        let mut private = self.paging.private.lock();
        let used = self.state.private_written as usize;
        args.pDmaBuffer = base.wrapping_add(self.state.written as usize).cast();
        args.DmaSize = self.paging.buffer_bytes - self.state.written;
        let left = private.len().saturating_sub(used);
        args.DmaBufferPrivateDataSize = u32::try_from(left).unwrap_or(u32::MAX);
        args.pDmaBufferPrivateData = match private.get_mut(used..) {
            Some(rest) if !rest.is_empty() => rest.as_mut_ptr().cast(),
            _ => std::ptr::null_mut(),
        };
        args.DmaBufferGpuVirtualAddress = self.state.address;
        args.DmaBufferWriteOffset = self.state.written;
        Ok(())
    }

    /// Takes over how far the driver wrote; returns the number of bytes.
    ///
    /// contract: PAG-001
    fn take_rest(&mut self, args: &DXGKARG_BUILDPAGINGBUFFER) -> u32 {
        self.paging.check_tail();
        let base = self
            .paging
            .buffer
            .kernel_address(0)
            .map_or(0, <*mut u8>::addr);
        let end = args.pDmaBuffer.addr().checked_sub(base);
        let end = end.and_then(|end| u32::try_from(end).ok());
        let valid = self.state.written..=self.paging.buffer_bytes;
        let Some(end) = end.filter(|end| valid.contains(end)) else {
            self.paging.breach(
                "PAG-001",
                "pDmaBuffer is outside of the space that was given",
            );
            return 0;
        };
        let wrote = end - self.state.written;
        self.state.written = end;
        let private = self.paging.private.lock();
        let before = private.as_ptr().addr();
        let private_end = args.pDmaBufferPrivateData.addr().saturating_sub(before);
        if !args.pDmaBufferPrivateData.is_null() && private_end <= private.len() {
            self.state.private_written = u32::try_from(private_end).unwrap_or(0);
        }
        wrote
    }

    /// Submits what is built and waits until the device has done it.
    ///
    /// # Errors
    /// When the driver refuses the submission, or no completion arrives.
    pub fn submit(&mut self) -> Result<(), MmError> {
        if self.paging.completions.is_lost() {
            self.state.written = 0;
            self.state.private_written = 0;
            return Ok(());
        }
        let mut private = self.paging.private.lock();
        let fence = self.state.fence.wrapping_add(1);
        self.state.fence = fence;
        let size = self.state.written;
        let args = DXGKARG_SUBMITCOMMANDVIRTUAL {
            hContext: self.state.context.raw(),
            DmaBufferVirtualAddress: self.state.address,
            DmaBufferSize: size,
            pDmaBufferPrivateData: private.as_mut_ptr().cast(),
            DmaBufferPrivateDataSize: self.state.private_written,
            SubmissionFenceId: fence,
            Flags: DXGK_SUBMITCOMMANDFLAGS::new().with_Paging(true),
            NodeOrdinal: self.paging.node,
            ..DXGKARG_SUBMITCOMMANDVIRTUAL::ZERO
        };
        self.paging.stats.lock().submissions += 1;
        self.paging.completions.expect(self.paging.node, fence);
        let result = self
            .paging
            .driver
            .submit_command_virtual(self.paging.adapter, &args);
        self.state.written = 0;
        self.state.private_written = 0;
        result?;
        drop(private);
        let completions = &self.paging.completions;
        let in_time = completions.wait_completed(self.paging.node, fence);
        let fault = completions
            .fault(self.paging.node)
            .filter(|(last, _)| *last >= fence);
        match fault {
            None if in_time => return Ok(()),
            Some((_, status)) => self.paging.driver.breach(format!(
                "PAG-011: paging submission {fence} of {size} bytes faulted with {status}"
            )),
            None if completions.is_lost() => return Ok(()),
            None if self.paging.driver.nt().verifier.is_dead() => {}
            None => self.paging.driver.breach(format!(
                "PAG-011: paging submission {fence} was not reported as completed in time"
            )),
        }
        Err(MmError::PagingTimeout(fence))
    }

    /// Ends the batch: submits what is built and waits for it.
    ///
    /// # Errors
    /// As for [`Self::submit`].
    pub fn finish(mut self) -> Result<(), MmError> {
        if self.state.written == 0 {
            Ok(())
        } else {
            self.submit()
        }
    }
}
