//! The loss of the device.

use super::doorbell::ABORT;
use super::{ObjectError, ObjectManager};

impl ObjectManager {
    /// The device is gone, and the driver has been told so. Nobody waits for it from now on, its
    /// memory is not paged any more, and every doorbell is disconnected for good: all user
    /// addresses show their dummy pages before the BAR is given up. Clients then destroy their
    /// objects as usual.
    ///
    /// # Errors
    /// When the driver fails a disconnect.
    pub fn device_lost(&self) -> Result<(), ObjectError> {
        self.completions.lose();
        self.give_up_power();
        self.disconnect_all(ABORT)
    }
}
