//! Allocations: what the driver says about them, where they are, who sees them.

use std::sync::Arc;

use carillon_ddi::{
    D3DKMT_HANDLE, DXGK_ALLOCATIONINFO, DXGK_OPENALLOCATIONFLAGS, DXGK_OPENALLOCATIONINFO,
    DXGKARG_CLOSEALLOCATION, DXGKARG_CREATEALLOCATION, DXGKARG_DESTROYALLOCATION,
    DXGKARG_OPENALLOCATION,
};

use parking_lot::Mutex;

use super::MmError;
use super::content::Range;
use super::geometry::GPU_PAGE;
use super::paging::Op;
use super::place::{Page, Place, SystemPages};
use super::system::VidMm;
use crate::dxgk::driver::{DdiError, Guarded};
use crate::dxgk::handle::KmdHandle;
use crate::trap::PAGE_SIZE;
use crate::trap::shared::RemappableView;

/// Longest private driver data of an allocation that the model passes on.
pub const PRIVATE_DATA_LIMIT: usize = 64 << 10;

/// An allocation, opened on one device.
#[derive(Debug)]
pub struct Allocation {
    /// The driver's handle.
    pub kmd: KmdHandle,
    /// The driver's handle of the allocation as the device sees it.
    pub opened: KmdHandle,
    /// Bytes, as the driver sized it and rounded up to pages.
    pub bytes: u64,
    device: KmdHandle,
    pub(super) place: Mutex<Arc<Place>>,
    /// The segment where it belongs, if that is not system memory.
    pub(super) home: Option<Home>,
    pub(super) view: Option<RemappableView>,
    notify: bool,
    residency: Mutex<Residency>,
}

/// A segment, and the alignment that the driver wants there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Home {
    pub(super) segment: u32,
    pub(super) alignment: u64,
}

/// Who wants an allocation to be resident, and whether it is.
#[derive(Debug, Default)]
pub(in crate::dxgk) struct Residency {
    /// `D3DKMTMakeResident` less `D3DKMTEvict`.
    pub(in crate::dxgk) client: u32,
    /// References of the OS: doorbells hold their rings.
    pub(in crate::dxgk) os: u32,
    /// The memory is in place and page tables translate to it.
    pub(in crate::dxgk) valid: bool,
}

impl Residency {
    /// Whether anybody wants it.
    pub(in crate::dxgk) fn is_wanted(&self) -> bool {
        self.client != 0 || self.os != 0
    }
}

/// What of the driver's answer the model works with.
#[derive(Debug, Clone, Copy)]
struct Described {
    kmd: KmdHandle,
    bytes: u64,
    alignment: u64,
    segment: u32,
    cpu_visible: bool,
    notify: bool,
}

impl VidMm {
    /// Creates an allocation (`DxgkDdiCreateAllocation`), places it, opens it on `device`
    /// (`DxgkDdiOpenAllocation`) and clears it. `handle` is what the driver finds it by in
    /// `DxgkCbGetHandleData`; `publish` is told the driver's handle before the open, so that it
    /// can.
    pub fn create_allocation(
        &self,
        device: KmdHandle,
        handle: D3DKMT_HANDLE,
        private_data: &[u8],
        publish: impl FnOnce(KmdHandle),
    ) -> Result<Allocation, MmError> {
        if private_data.len() > PRIVATE_DATA_LIMIT {
            return Err(MmError::Allocation("private data too long"));
        }
        let described = self.describe(private_data)?;
        let made = self.place(described).and_then(|place| {
            publish(described.kmd);
            let opened = self.open(device, handle, private_data)?;
            Ok((place, opened))
        });
        let (place, opened) = made.inspect_err(|_| {
            let _ = self.destroy_kmd(described.kmd);
        })?;
        let mut allocation = Allocation {
            kmd: described.kmd,
            opened,
            bytes: described.bytes,
            device,
            home: matches!(place, Place::Segment(_)).then_some(Home {
                segment: described.segment,
                alignment: described.alignment,
            }),
            place: Mutex::new(Arc::new(place)),
            view: None,
            notify: described.notify,
            residency: Mutex::default(),
        };
        let ready = self.make_ready(&mut allocation, described.cpu_visible);
        match ready {
            Ok(()) => Ok(allocation),
            Err(error) => {
                let _ = self.destroy_allocation(&allocation);
                Err(error)
            }
        }
    }

    /// Asks the driver what the allocation is, and checks the answer.
    fn describe(&self, private_data: &[u8]) -> Result<Described, MmError> {
        const DDI: &str = "DxgkDdiCreateAllocation";
        let data = lend(DDI, private_data)?;
        let info = DXGK_ALLOCATIONINFO {
            pPrivateDriverData: data.as_mut_ptr().cast(),
            PrivateDriverDataSize: u32::try_from(private_data.len()).unwrap_or(u32::MAX),
            ..DXGK_ALLOCATIONINFO::ZERO
        };
        let list = lend(DDI, &[info])?;
        let mut args = DXGKARG_CREATEALLOCATION {
            NumAllocations: 1,
            pAllocationInfo: list.as_mut_ptr(),
            ..DXGKARG_CREATEALLOCATION::ZERO
        };
        self.driver.create_allocation(self.adapter, &mut args)?;
        let info = list.get();
        let kmd = KmdHandle::from_raw(info.hAllocation);
        self.check_described(&info).inspect_err(|error| {
            self.driver.breach(format!("MEM-016: {DDI}: {error}"));
            if !kmd.is_null() {
                let _ = self.destroy_kmd(kmd);
            }
        })
    }

    fn check_described(&self, info: &DXGK_ALLOCATIONINFO) -> Result<Described, MmError> {
        let impossible = |what| Err(MmError::Allocation(what));
        let kmd = KmdHandle::from_raw(info.hAllocation);
        if kmd.is_null() {
            return impossible("no handle");
        }
        // SAFETY: both arms are 32 bits of plain data.
        let flags = unsafe { info.Anonymous4.FlagsWddm2 };
        // SAFETY: as above.
        let alignment = unsafe { info.Anonymous.Alignment };
        // SAFETY: as above.
        let read_set = unsafe { info.Anonymous2.SupportedReadSegmentSet };
        let bytes = (info.Size as u64)
            .checked_next_multiple_of(GPU_PAGE)
            .unwrap_or(0);
        if bytes == 0 {
            return impossible("its size is 0 or too large");
        }
        let all = self.segments().all();
        let write_set = info.SupportedWriteSegmentSet;
        if write_set == 0 || (write_set | read_set) & !all != 0 {
            return impossible("its segment sets are empty or name segments that do not exist");
        }
        let preferred = u32::from(info.PreferredSegment.SegmentId0());
        let allowed = |id: u32| id != 0 && id <= 32 && write_set & (1 << (id - 1)) != 0;
        if preferred != 0 && !allowed(preferred) {
            return impossible("it prefers a segment that it does not support");
        }
        let segment = if preferred == 0 {
            write_set.trailing_zeros() + 1
        } else {
            preferred
        };
        if flags.AccessedPhysically() {
            return Err(MmError::NotPlayed("AccessedPhysically allocations"));
        }
        Ok(Described {
            kmd,
            bytes,
            alignment: alignment.max(1).into(),
            segment,
            cpu_visible: flags.CpuVisible(),
            notify: flags.ExplicitResidencyNotification(),
        })
    }

    fn place(&self, described: Described) -> Result<Place, MmError> {
        let segment = self.segments().get(described.segment);
        let segment = segment.ok_or(MmError::Allocation("it has no segment"))?;
        if segment.is_aperture() {
            let pages = described.bytes / GPU_PAGE;
            return Ok(Place::System(SystemPages::new(&self.shared.nt, pages)?));
        }
        Ok(Place::Segment(
            segment.take(described.bytes, described.alignment)?,
        ))
    }

    fn open(
        &self,
        device: KmdHandle,
        handle: D3DKMT_HANDLE,
        private_data: &[u8],
    ) -> Result<KmdHandle, MmError> {
        const DDI: &str = "DxgkDdiOpenAllocation";
        let data = lend(DDI, private_data)?;
        let info = DXGK_OPENALLOCATIONINFO {
            hAllocation: handle,
            pPrivateDriverData: data.as_mut_ptr().cast(),
            PrivateDriverDataSize: u32::try_from(private_data.len()).unwrap_or(u32::MAX),
            ..DXGK_OPENALLOCATIONINFO::ZERO
        };
        let list = lend(DDI, &[info])?;
        let args = DXGKARG_OPENALLOCATION {
            NumAllocations: 1,
            pOpenAllocation: list.as_mut_ptr(),
            Flags: DXGK_OPENALLOCATIONFLAGS::new().with_Create(true),
            ..DXGKARG_OPENALLOCATION::ZERO
        };
        self.driver.open_allocation(device, &args)?;
        let opened = KmdHandle::from_raw(list.get().hDeviceSpecificAllocation);
        if opened.is_null() {
            self.driver.breach(format!(
                "MEM-014: {DDI} left hDeviceSpecificAllocation NULL"
            ));
            return Err(MmError::Allocation("not opened"));
        }
        Ok(opened)
    }

    /// Clears the memory, notifies the driver, and maps it for the CPU if it may see it.
    fn make_ready(&self, allocation: &mut Allocation, cpu_visible: bool) -> Result<(), MmError> {
        let place = allocation.place();
        if matches!(*place, Place::Segment(_)) {
            self.fill(&allocation.range(0, allocation.bytes)?, 0)?;
            self.notify_residency(allocation, true)?;
        } else if cpu_visible {
            allocation.view = Some(self.user_view(&place)?);
        }
        Ok(())
    }

    pub(super) fn notify_residency(
        &self,
        allocation: &Allocation,
        resident: bool,
    ) -> Result<(), MmError> {
        if !allocation.notify {
            return Ok(());
        }
        let at = allocation
            .place()
            .page(0)
            .filter(|_| resident)
            .map(Page::gpu_physical);
        let mut batch = self.paging.batch();
        batch.push(&Op::NotifyResidency {
            allocation: allocation.kmd,
            at,
        })?;
        batch.finish()
    }

    /// A mapping of system pages at one contiguous user address.
    pub fn user_view(&self, place: &Place) -> Result<RemappableView, MmError> {
        let pages = place.system().ok_or(MmError::NotCpuVisible)?;
        let count = usize::try_from(pages.len()).map_err(|_| MmError::Host)?;
        let view = RemappableView::new(count).map_err(|_| MmError::Host)?;
        let memory = &self.shared.nt.memory;
        for index in 0..count {
            let page = pages
                .page(index as u64)
                .and_then(|page| memory.region_offset(page));
            let offset = page.ok_or(MmError::Host)?;
            view.switch_page(index, memory.region(), offset)
                .map_err(|_| MmError::Host)?;
        }
        Ok(view)
    }

    /// Closes and destroys an allocation (`DxgkDdiCloseAllocation`, `DxgkDdiDestroyAllocation`).
    /// Its memory is free when the value is dropped.
    pub fn destroy_allocation(&self, allocation: &Allocation) -> Result<(), MmError> {
        if matches!(*allocation.place(), Place::Segment(_)) {
            self.notify_residency(allocation, false)?;
        }
        let list = lend("DxgkDdiCloseAllocation", &[allocation.opened.raw()])?;
        let args = DXGKARG_CLOSEALLOCATION {
            NumAllocations: 1,
            pOpenHandleList: list.as_mut_ptr(),
        };
        self.driver.close_allocation(allocation.device, &args)?;
        self.destroy_kmd(allocation.kmd)
    }

    fn destroy_kmd(&self, kmd: KmdHandle) -> Result<(), MmError> {
        let list = lend("DxgkDdiDestroyAllocation", &[kmd.raw()])?;
        let args = DXGKARG_DESTROYALLOCATION {
            NumAllocations: 1,
            pAllocationList: list.as_mut_ptr(),
            ..DXGKARG_DESTROYALLOCATION::ZERO
        };
        Ok(self.driver.destroy_allocation(self.adapter, &args)?)
    }
}

fn lend<T: Copy>(ddi: &'static str, values: &[T]) -> Result<Guarded<T>, MmError> {
    Guarded::from_slice(values).map_err(|_| MmError::Ddi(DdiError::NoMemory { ddi }))
}

impl Allocation {
    /// A range of the allocation for [`VidMm::fill`], [`VidMm::transfer`] and
    /// [`VidMm::read_back`]; `offset` is a multiple of the page size.
    pub fn range(&self, offset: u64, bytes: u64) -> Result<Range, MmError> {
        let out = MmError::OutOfBounds {
            offset,
            bytes,
            size: self.bytes,
        };
        let inside = offset
            .checked_add(bytes)
            .is_some_and(|end| end <= self.bytes);
        if !inside {
            return Err(out);
        }
        Ok(Range {
            allocation: self.kmd,
            place: self.place(),
            offset,
            bytes,
        })
    }

    /// All pages, in order.
    #[must_use]
    pub fn pages(&self) -> Vec<Page> {
        let place = self.place();
        (0..place.pages())
            .filter_map(|index| place.page(index))
            .collect()
    }

    /// Where the memory is now.
    #[must_use]
    pub fn place(&self) -> Arc<Place> {
        self.place.lock().clone()
    }

    /// The user address and its length in bytes, if the CPU may see the allocation.
    #[must_use]
    pub fn user(&self) -> Option<(*mut u8, usize)> {
        self.view
            .as_ref()
            .map(|view| (view.as_ptr(), view.pages() * PAGE_SIZE))
    }

    /// Who wants it to be resident, and whether it is. Held while page tables follow.
    pub(in crate::dxgk) fn residency(&self) -> &Mutex<Residency> {
        &self.residency
    }

    /// Whether the memory is in place and page tables translate to it.
    #[must_use]
    pub fn is_resident(&self) -> bool {
        self.residency.lock().valid
    }
}
