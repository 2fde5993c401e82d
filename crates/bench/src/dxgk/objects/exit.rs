//! The end of a process.

use std::sync::Arc;
use std::time::Duration;

use super::doorbell::{ABORT, RETRY};
use super::process::Process;
use super::table::Object;
use super::{ObjectError, ObjectManager};

/// How a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Doorbells are disconnected, then work that was queued may finish (sequence 11).
    Normal,
    /// Contexts are taken off the GPU first; queued work is lost (sequence 12).
    Abnormal,
}

/// The order in which objects go: each kind before what it depends on.
fn rank(object: &Object) -> u8 {
    match object {
        Object::Doorbell(_) => 0,
        Object::Queue(_) => 1,
        Object::Fence(_) => 2,
        Object::Allocation(_) => 3,
        Object::Context(_) => 4,
        Object::Device(_) => 5,
    }
}

impl ObjectManager {
    /// Ends a process with all it has. A normal exit waits at most `patience` for queued work (the
    /// value that says what is queued is the client's own, and may be nonsense) and then goes on
    /// as an abnormal one. The result is the way that was gone.
    ///
    /// # Errors
    /// When the driver refuses what it may not refuse. What can be destroyed is.
    pub fn end_process(
        &self,
        process: &Arc<Process>,
        exit: Exit,
        patience: Duration,
    ) -> Result<Exit, ObjectError> {
        let mut way = exit;
        if exit == Exit::Normal {
            self.disconnect_process(process, false)?;
            if !self.drain(process, patience)? {
                way = Exit::Abnormal;
            }
        }
        if way == Exit::Abnormal {
            for (_, object) in self.table.of_process(process) {
                if let Object::Context(context) = object {
                    self.suspend_context(&context)?;
                }
            }
            self.disconnect_process(process, true)?;
        }
        let objects = self.table.of_process(process);
        self.destroy_objects(process, objects)?;
        self.destroy_process(process)?;
        Ok(way)
    }

    fn disconnect_process(&self, process: &Arc<Process>, abort: bool) -> Result<(), ObjectError> {
        let reason = if abort { ABORT } else { RETRY };
        for (_, object) in self.table.of_process(process) {
            if let Object::Doorbell(doorbell) = object {
                self.disconnect_doorbell(&doorbell, reason)?;
            }
        }
        Ok(())
    }

    /// Waits until every queue has reached what was queued; false if it does not in time.
    fn drain(&self, process: &Arc<Process>, patience: Duration) -> Result<bool, ObjectError> {
        for (_, object) in self.table.of_process(process) {
            if let Object::Queue(queue) = object
                && !self.wait_value(&queue.fence, queue.last_queued(), patience)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Destroys objects in the order of their dependencies; goes on after a failure and returns
    /// the first one.
    pub(super) fn destroy_objects(
        &self,
        process: &Arc<Process>,
        mut objects: Vec<(u32, Object)>,
    ) -> Result<(), ObjectError> {
        objects.sort_by_key(|(_, object)| rank(object));
        let mut first = Ok(());
        for (handle, object) in objects {
            let result = match object {
                Object::Doorbell(_) => self.destroy_doorbell(process, handle),
                Object::Queue(_) => self.destroy_queue(process, handle),
                // A progress fence goes with its queue.
                Object::Fence(_) => Ok(()),
                Object::Allocation(_) => self.destroy_allocation(process, handle),
                Object::Context(_) => self.destroy_context(process, handle),
                Object::Device(_) => self.destroy_device(process, handle),
            };
            first = first.and(result);
        }
        first
    }
}
