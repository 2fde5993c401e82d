//! What a driver can do wrong, and the record of it.

use std::fmt;

use super::irql::{Irql, IrqlRange};
use super::locks::LockName;
use super::pool::{BlockInfo, Tag};
use crate::trap::images::CodeAddress;

/// What a driver did wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViolationKind {
    /// A kernel function was called at a level that its documentation does not permit.
    #[error("{import} called at {irql}, permitted from {} to {}", permitted.min, permitted.max)]
    Irql {
        /// The function.
        import: &'static str,
        /// The level of the call.
        irql: Irql,
        /// The documented levels.
        permitted: IrqlRange,
    },
    /// A DDI returned at another level than it was called at.
    #[error("{ddi} was called at {before} and returned at {after}")]
    IrqlChanged {
        /// The DDI.
        ddi: &'static str,
        /// Level of the call.
        before: Irql,
        /// Level of the return.
        after: Irql,
    },
    /// A pool function was used against its rules.
    #[error("{0}")]
    Pool(#[from] PoolMisuse),
    /// A lock was used against its rules.
    #[error("{0}")]
    Lock(#[from] LockMisuse),
    /// A wait with a time-out other than zero at DISPATCH_LEVEL or above.
    #[error("{import} would block at {irql}")]
    WaitAtRaisedIrql {
        /// The waiting function.
        import: &'static str,
        /// The level of the call.
        irql: Irql,
    },
    /// A wait did not end within the session's hang limit.
    #[error("{import} on {object:#x} did not end within {limit_ms} ms")]
    WaitStuck {
        /// The waiting function.
        import: &'static str,
        /// Address of the object waited for.
        object: u64,
        /// The limit, in milliseconds.
        limit_ms: u64,
    },
    /// The driver called `KeBugCheckEx`.
    #[error(
        "bug check {code:#x} ({:#x}, {:#x}, {:#x}, {:#x})",
        parameters[0], parameters[1], parameters[2], parameters[3]
    )]
    BugCheck {
        /// The bug check code.
        code: u32,
        /// The four parameters.
        parameters: [u64; 4],
    },
    /// Driver code touched memory that it must not touch.
    #[error("{access} of {address:#x} at {at}: {target}")]
    Fault {
        /// The instruction.
        at: CodeAddress,
        /// The address touched.
        address: u64,
        /// How.
        access: AccessKind,
        /// What is there.
        target: FaultTarget,
    },
    /// An instruction on a trapped register that no driver should use there.
    #[error("{instruction} at {at} on trapped register {offset:#x}: {reason}")]
    Mmio {
        /// The instruction, disassembled.
        instruction: String,
        /// Where it is.
        at: CodeAddress,
        /// Offset in the BAR.
        offset: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A kernel function was given something it must not be given.
    #[error("{import}: {what}")]
    Misuse {
        /// The function.
        import: &'static str,
        /// What was wrong.
        what: String,
    },
    /// Something other than pool was still held at unload.
    #[error("leaked at unload: {what}")]
    Leak {
        /// What.
        what: String,
    },
    /// Something that the OS model found, in its own words.
    #[error("{0}")]
    Contract(String),
}

/// Rules of the pool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PoolMisuse {
    /// Tag zero.
    #[error("pool allocation of {size} bytes with tag 0")]
    TagZero {
        /// Bytes asked for.
        size: u64,
    },
    /// Size zero.
    #[error("pool allocation of 0 bytes with tag {tag}")]
    SizeZero {
        /// The tag.
        tag: Tag,
    },
    /// Flags without a pool, or with an executable one.
    #[error("pool allocation with flags {flags:#x}: {reason}")]
    Flags {
        /// The flags.
        flags: u64,
        /// What is wrong with them.
        reason: &'static str,
    },
    /// A block was freed again.
    #[error("double free of {0}")]
    DoubleFree(BlockInfo),
    /// A block was freed with another tag than its own.
    #[error("free of {block} with tag {given}")]
    WrongTag {
        /// The block.
        block: BlockInfo,
        /// The tag of the free.
        given: Tag,
    },
    /// The address is no block.
    #[error("free of {address:#x}, which is no pool block")]
    NotABlock {
        /// The address.
        address: u64,
    },
    /// Bytes around a block were overwritten.
    #[error("{block} was written outside its bounds, at offset {offset}")]
    Overrun {
        /// The block.
        block: BlockInfo,
        /// First damaged byte, relative to the block's start.
        offset: i64,
    },
    /// A block holds a lock that is held.
    #[error("{block} was freed while it holds the acquired {lock}")]
    HoldsLock {
        /// The block.
        block: BlockInfo,
        /// The lock.
        lock: LockName,
    },
    /// Blocks were not freed.
    #[error(
        "leaked at unload: {blocks} pool blocks, {bytes} bytes, tag {tag}, allocated by {caller}"
    )]
    Leaked {
        /// How many.
        blocks: u64,
        /// Their sizes together.
        bytes: u64,
        /// Their tag.
        tag: Tag,
        /// Who allocated them.
        caller: CodeAddress,
    },
}

/// Rules of locks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockMisuse {
    /// A lock was still held when a DDI returned.
    #[error("{ddi} returned with {lock} held")]
    HeldAtReturn {
        /// The DDI.
        ddi: &'static str,
        /// The lock.
        lock: LockName,
    },
    /// A lock was held across a call into the OS.
    #[error("{callback} called with {lock} held")]
    HeldAcrossCallback {
        /// The OS function.
        callback: &'static str,
        /// The lock.
        lock: LockName,
    },
    /// The lock is held by the same thread already.
    #[error("{lock} acquired by the thread that holds it")]
    Recursion {
        /// The lock.
        lock: LockName,
    },
    /// The lock is not held by the thread that releases it.
    #[error("{lock} released by a thread that does not hold it")]
    NotOwned {
        /// The lock.
        lock: LockName,
    },
    /// Never initialised, or overwritten.
    #[error("{lock} is not initialised: {found}")]
    NotInitialised {
        /// The lock.
        lock: LockName,
        /// What its bytes hold.
        found: String,
    },
    /// Two orders of acquisition exist.
    #[error("lock order: acquiring {acquiring} while holding {holding}, but {path} is known")]
    Order {
        /// The lock being acquired.
        acquiring: LockName,
        /// A lock held.
        holding: LockName,
        /// The contrary order, as a chain.
        path: String,
    },
    /// A lock was not granted within the hang limit.
    #[error("{lock} was not free within {limit_ms} ms; its holder is thread {holder}")]
    Stuck {
        /// The lock.
        lock: LockName,
        /// The limit, in milliseconds.
        limit_ms: u64,
        /// Number of the holding thread.
        holder: u64,
    },
}

/// How memory was touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessKind {
    /// A load.
    Read,
    /// A store.
    Write,
    /// An instruction fetch.
    Execute,
    /// An instruction that may not be executed.
    Instruction,
}

impl fmt::Display for AccessKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Execute => "execution",
            Self::Instruction => "privileged or illegal instruction",
        })
    }
}

/// What a wild access hit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultTarget {
    /// The first page.
    #[error("null pointer")]
    Null,
    /// Memory of a block that was freed.
    #[error("use after free of {block}, offset {offset}")]
    Freed {
        /// The block.
        block: BlockInfo,
        /// Offset of the access.
        offset: i64,
    },
    /// The guard page of a live block.
    #[error("outside the bounds of {block}, offset {offset}")]
    Guard {
        /// The block.
        block: BlockInfo,
        /// Offset of the access.
        offset: i64,
    },
    /// A protected part of an image.
    #[error("protected page of {0}")]
    Image(CodeAddress),
    /// A register mapping that was undone.
    #[error("I/O space that is not mapped any more")]
    UnmappedIoSpace,
    /// The instruction itself.
    #[error("not permitted here")]
    Instruction,
    /// Anything else.
    #[error("not mapped")]
    Unmapped,
}

/// One thing that went wrong, with where and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What.
    pub kind: ViolationKind,
    /// Number of the thread, in order of first use.
    pub thread: u64,
    /// Level of the thread.
    pub irql: Irql,
    /// Return address of the last kernel call that the thread made.
    pub caller: CodeAddress,
    /// The DDI that the thread was in.
    pub ddi: Option<&'static str>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            thread,
            irql,
            caller,
            ddi,
        } = self;
        let ddi = ddi.unwrap_or("no DDI");
        write!(
            f,
            "{kind} [{ddi}, thread {thread} at {irql}, called from {caller}]"
        )
    }
}
