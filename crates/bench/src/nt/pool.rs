//! `ExAllocatePool2` and the functions that free.

use super::driver_addr::DriverAddr;
use super::session::{Nt, with_current};
use super::thunk::{Export, Role};
use crate::verifier::irql::{self, Irql, IrqlRange};
use crate::verifier::pool::Tag;
use crate::verifier::thread;
use crate::verifier::violation::{PoolMisuse, ViolationKind};

/// `POOL_FLAG_UNINITIALIZED`
const UNINITIALIZED: u64 = 0x02;
/// `POOL_FLAG_NON_PAGED`
const NON_PAGED: u64 = 0x40;
/// `POOL_FLAG_NON_PAGED_EXECUTE`
const NON_PAGED_EXECUTE: u64 = 0x80;
/// `POOL_FLAG_PAGED`
const PAGED: u64 = 0x100;
/// `POOL_FLAG_RAISE_ON_FAILURE`
const RAISE_ON_FAILURE: u64 = 0x20;
const POOLS: u64 = NON_PAGED | NON_PAGED_EXECUTE | PAGED;

/// The functions of this module.
pub(super) const EXPORTS: &[Export] = &[
    export("ExAllocatePool2", ex_allocate_pool2 as *const ()),
    export("ExFreePoolWithTag", ex_free_pool_with_tag as *const ()),
    export("ExFreePool", ex_free_pool as *const ()),
];

const fn export(name: &'static str, target: *const ()) -> Export {
    Export {
        name,
        irql: IrqlRange::UP_TO_DISPATCH,
        role: Role::Pool,
        target,
    }
}

extern "win64" fn ex_allocate_pool2(flags: u64, bytes: u64, tag: u32) -> u64 {
    with_current(|nt| allocate(nt, flags, bytes, Tag(tag)).unwrap_or(0))
}

fn allocate(nt: &Nt, flags: u64, size: u64, tag: Tag) -> Option<u64> {
    let fail = nt.verifier.count_allocation();
    if let Some(reason) = wrong_flags(nt, flags) {
        nt.verifier.report(PoolMisuse::Flags { flags, reason });
    }
    if tag.0 == 0 {
        nt.verifier.report(PoolMisuse::TagZero { size });
    }
    if size == 0 {
        nt.verifier.report(PoolMisuse::SizeZero { tag });
        return None;
    }
    let mut pool = nt.verifier.pool.lock();
    if fail {
        pool.count_refusal();
        return None;
    }
    pool.allocate(size, tag, flags & UNINITIALIZED == 0, thread::caller())
        .ok()
}

fn wrong_flags(nt: &Nt, flags: u64) -> Option<&'static str> {
    if (flags & POOLS).count_ones() != 1 {
        return Some("exactly one of the pools must be named");
    }
    if flags & NON_PAGED_EXECUTE != 0 {
        return Some("executable pool");
    }
    if flags & RAISE_ON_FAILURE != 0 {
        return Some("raises an exception on failure");
    }
    if flags & PAGED != 0 && irql::current() > Irql::APC {
        let permitted = IrqlRange::UP_TO_APC;
        let irql = irql::current();
        nt.verifier.report(ViolationKind::Irql {
            import: "ExAllocatePool2(PAGED)",
            irql,
            permitted,
        });
    }
    None
}

extern "win64" fn ex_free_pool_with_tag(block: DriverAddr, tag: u32) {
    with_current(|nt| free(nt, block, (tag != 0).then_some(Tag(tag))));
}

extern "win64" fn ex_free_pool(block: DriverAddr) {
    with_current(|nt| free(nt, block, None));
}

fn free(nt: &Nt, block: DriverAddr, tag: Option<Tag>) {
    let freed = nt
        .verifier
        .pool
        .lock()
        .free(block.value(), tag, thread::caller());
    let (info, misuse) = match freed {
        Ok(freed) => freed,
        Err(misuse) => return nt.verifier.report(misuse),
    };
    for misuse in misuse {
        nt.verifier.report(misuse);
    }
    let range = info.address..info.address + info.size;
    let locks: Vec<_> = thread::with_held(|held| {
        let names = held.iter().map(|lock| lock.name.clone());
        names.filter(|name| range.contains(&name.address)).collect()
    });
    for lock in locks {
        nt.verifier.report(PoolMisuse::HoldsLock {
            block: info.clone(),
            lock,
        });
    }
    nt.verifier.forget_locks(range.start, range.end);
}
