//! Handles that user mode sees, and who is behind them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::RwLock;

use super::ObjectError;
use super::doorbell::Doorbell;
use super::fence::Fence;
use super::process::{AllocationObject, Context, Device, Process};
use super::queue::Queue;
use crate::dxgk::handle::OsHandle;

/// Distance between two handles.
const STEP: u32 = 0x40;
/// Lowest handle.
const FIRST: u32 = 0x4000_0040;
/// The next handle, of whatever adapter: callbacks name objects without saying whose they are.
static NEXT: AtomicU32 = AtomicU32::new(FIRST);

/// An object that has a handle.
#[derive(Debug, Clone)]
pub enum Object {
    /// A device.
    Device(Arc<Device>),
    /// A hardware context.
    Context(Arc<Context>),
    /// An allocation.
    Allocation(Arc<AllocationObject>),
    /// A fence.
    Fence(Arc<Fence>),
    /// A hardware queue.
    Queue(Arc<Queue>),
    /// A doorbell.
    Doorbell(Arc<Doorbell>),
}

impl Object {
    /// The process that the object belongs to.
    #[must_use]
    pub fn process(&self) -> &Arc<Process> {
        match self {
            Self::Device(device) => &device.process,
            Self::Context(context) => &context.device.process,
            Self::Allocation(allocation) => &allocation.device.process,
            Self::Fence(fence) => &fence.device.process,
            Self::Queue(queue) => &queue.context.device.process,
            Self::Doorbell(doorbell) => &doorbell.queue.context.device.process,
        }
    }
}

#[derive(Debug, Default)]
struct Inner {
    objects: BTreeMap<u32, Object>,
}

/// All handles of an adapter. A handle is never used twice, on no adapter of the process, so that
/// a late one meets nobody.
#[derive(Debug, Default)]
pub struct Table {
    inner: RwLock<Inner>,
    /// What `DxgkCbDisconnectDoorbell` can name; a doorbell is here longer than it has a handle.
    doorbells: RwLock<BTreeMap<OsHandle, Arc<Doorbell>>>,
}

macro_rules! typed {
    ($($(#[$doc:meta])* $get:ident $take:ident $variant:ident($type:ty) $kind:literal;)*) => {
        impl Table {$(
            $(#[$doc])*
            ///
            /// # Errors
            /// The process has no such object.
            pub fn $get(&self, process: &Arc<Process>, handle: u32) -> Result<Arc<$type>, ObjectError> {
                match self.any(handle) {
                    Some(Object::$variant(object))
                        if Arc::ptr_eq(Object::$variant(object.clone()).process(), process) =>
                    {
                        Ok(object)
                    }
                    _ => Err(ObjectError::Handle { kind: $kind, handle }),
                }
            }

            /// The same, and the handle is gone. Of two threads one gets the object.
            ///
            /// # Errors
            /// The process has no such object.
            pub fn $take(&self, process: &Arc<Process>, handle: u32) -> Result<Arc<$type>, ObjectError> {
                let object = self.$get(process, handle)?;
                match self.remove(handle) {
                    Some(_) => Ok(object),
                    None => Err(ObjectError::Handle { kind: $kind, handle }),
                }
            }
        )*}
    };
}

typed! {
    /// A device of the process.
    device take_device Device(Device) "device";
    /// A hardware context of the process.
    context take_context Context(Context) "context";
    /// An allocation of the process.
    allocation take_allocation Allocation(AllocationObject) "allocation";
    /// A fence of the process.
    fence take_fence Fence(Fence) "fence";
    /// A hardware queue of the process.
    queue take_queue Queue(Queue) "queue";
    /// A doorbell of the process.
    doorbell take_doorbell Doorbell(Doorbell) "doorbell";
}

impl Table {
    /// A handle for an object that is still being made.
    pub fn reserve(&self) -> u32 {
        NEXT.fetch_add(STEP, Ordering::Relaxed)
    }

    /// Gives a reserved handle to an object.
    pub fn publish(&self, handle: u32, object: Object) {
        self.inner.write().objects.insert(handle, object);
    }

    /// Forgets a handle.
    pub fn remove(&self, handle: u32) -> Option<Object> {
        self.inner.write().objects.remove(&handle)
    }

    /// The object of any process.
    #[must_use]
    pub fn any(&self, handle: u32) -> Option<Object> {
        self.inner.read().objects.get(&handle).cloned()
    }

    /// All objects, oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<Object> {
        self.inner.read().objects.values().cloned().collect()
    }

    /// All objects of a process, newest first.
    #[must_use]
    pub fn of_process(&self, process: &Arc<Process>) -> Vec<(u32, Object)> {
        let inner = self.inner.read();
        let own = |(_, object): &(&u32, &Object)| Arc::ptr_eq(object.process(), process);
        inner
            .objects
            .iter()
            .rev()
            .filter(own)
            .map(|(h, o)| (*h, o.clone()))
            .collect()
    }

    /// All allocations of all processes.
    #[must_use]
    pub fn allocations(&self) -> Vec<Arc<AllocationObject>> {
        let inner = self.inner.read();
        let allocations = inner.objects.values().filter_map(|object| match object {
            Object::Allocation(allocation) => Some(allocation.clone()),
            _ => None,
        });
        allocations.collect()
    }

    /// The context that the driver knows by this handle.
    #[must_use]
    pub fn context_by_os(&self, os: OsHandle) -> Option<Arc<Context>> {
        self.inner
            .read()
            .objects
            .values()
            .find_map(|object| match object {
                Object::Context(context) if context.os == os => Some(context.clone()),
                _ => None,
            })
    }

    /// Lets callbacks find a doorbell: from before the driver is told of it.
    pub fn add_doorbell(&self, doorbell: &Arc<Doorbell>) {
        self.doorbells.write().insert(doorbell.os, doorbell.clone());
    }

    /// Makes a doorbell unknown to callbacks: after the driver has destroyed it.
    pub fn remove_doorbell(&self, os: OsHandle) {
        self.doorbells.write().remove(&os);
    }

    /// The doorbell that the driver knows by this handle.
    #[must_use]
    pub fn doorbell_by_os(&self, os: OsHandle) -> Option<Arc<Doorbell>> {
        self.doorbells.read().get(&os).cloned()
    }

    /// Doorbells that the driver knows.
    #[must_use]
    pub fn doorbells(&self) -> Vec<Arc<Doorbell>> {
        self.doorbells.read().values().cloned().collect()
    }
}
