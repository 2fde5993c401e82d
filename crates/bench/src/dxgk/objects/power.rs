//! D3 and back.
//!
//! The gate says whether the device is in D0. Thunks that need the device hold it shared and find
//! it in D0; a change of the power state holds it alone. It is taken before every other lock of this
//! module, and never by what the driver calls. Clients that wait for a fence do not hold it: they do
//! not keep the device awake.

use std::sync::Arc;

use carillon_ddi::{DEVICE_POWER_STATE, POWER_ACTION};
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::doorbell::{DoorbellRequest, RETRY};
use super::process::{AllocationObject, Context, Process};
use super::table::Object;
use super::{ObjectError, ObjectManager};
use crate::device::power::{LocalMemory, Retention};
use crate::dxgk::driver::DdiError;

/// `DISPLAY_ADAPTER_HW_ID`: the adapter itself and none of its children.
pub const ADAPTER: u32 = u32::MAX;

/// How the device goes to sleep, and what it finds when it wakes.
#[derive(Debug, Clone, Copy)]
pub struct Sleep {
    /// The state, D1 to D3.
    pub state: DEVICE_POWER_STATE,
    /// Why.
    pub action: POWER_ACTION,
    /// What the device remembers. If it loses local memory, the OS takes out what allocations hold.
    pub retained: Retention,
    /// The OS takes allocations out of local memory although that is kept.
    pub evict: bool,
    /// Rings and everything else in system memory is on other pages afterwards. Clients may not
    /// write to it meanwhile.
    pub move_system: bool,
}

impl Default for Sleep {
    fn default() -> Self {
        Self {
            state: DEVICE_POWER_STATE::PowerDeviceD3,
            action: POWER_ACTION::PowerActionNone,
            retained: Retention {
                memory: LocalMemory::Lost,
                registers: false,
            },
            evict: false,
            move_system: false,
        }
    }
}

/// What happens when a client's connect wakes the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WakeConnect {
    /// `DxgkDdiConnectDoorbell`, as every other page has it.
    #[default]
    Connect,
    /// `DxgkDdiCreateDoorbell` for the queue first, as the list of steps for D3 has it.
    Create,
}

/// Where the device is.
#[derive(Debug)]
enum State {
    On,
    Asleep {
        /// What was taken out of local memory.
        evicted: Vec<Arc<AllocationObject>>,
    },
}

/// The gate.
#[derive(Debug)]
pub(super) struct Gate {
    state: RwLock<State>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            state: RwLock::new(State::On),
        }
    }
}

/// Keeps the power state as it is.
#[derive(Debug)]
#[must_use = "the device may be put to sleep when the guard is gone"]
pub struct Powered<'a> {
    _state: RwLockReadGuard<'a, State>,
}

impl ObjectManager {
    /// Brings the device to D0 if it is not there, and keeps it there.
    ///
    /// # Errors
    /// As for [`Self::wake`].
    pub fn powered(&self) -> Result<Powered<'_>, ObjectError> {
        loop {
            let state = self.gate.state.read();
            if matches!(*state, State::On) {
                return Ok(Powered { _state: state });
            }
            drop(state);
            self.wake()?;
        }
    }

    /// Keeps the power state whatever it is. May be taken by who holds it already.
    pub(super) fn settled(&self) -> Powered<'_> {
        Powered {
            _state: self.gate.state.read_recursive(),
        }
    }

    /// Whether the device is out of D0.
    #[must_use]
    pub fn is_asleep(&self) -> bool {
        matches!(*self.gate.state.read(), State::Asleep { .. })
    }

    /// D0 to D3: contexts, doorbells, memory, device, in this order (sequence 8). Nothing to do for
    /// a device that is asleep or lost.
    ///
    /// # Errors
    /// When the driver fails a step; the device is in D0 then, and contexts may be suspended.
    ///
    /// contract: PWD-001, PWD-002
    pub fn sleep(&self, how: Sleep) -> Result<(), ObjectError> {
        let mut state = self.gate.state.write();
        if !matches!(*state, State::On) || self.completions.is_lost() {
            return Ok(());
        }
        self.suspend_all()?;
        self.disconnect_all(RETRY)?;
        let mut evicted = Vec::new();
        if how.evict || how.retained.memory == LocalMemory::Lost {
            self.evict_all(&mut evicted)?;
        }
        if how.move_system {
            self.move_all()?;
        }
        self.check_revoked();
        self.driver
            .set_power_state(self.adapter, ADAPTER, how.state, how.action)?;
        self.platform.power_off(how.retained)?;
        Self::count(&self.counters.sleeps);
        *state = State::Asleep { evicted };
        Ok(())
    }

    /// D3 to D0 on the OS's own account. Contexts run again; doorbells stay as they are until
    /// clients connect them.
    ///
    /// # Errors
    /// When the driver fails a step.
    pub fn wake(&self) -> Result<(), ObjectError> {
        let mut state = self.gate.state.write();
        if self.wake_device(&mut state)? {
            self.resume_all()?;
        }
        Ok(())
    }

    /// A connect while the device is asleep: D0, memory, the connection, and only then the contexts.
    ///
    /// contract: DBN-019, PWD-003, PWD-004
    /// regression: DB-22
    pub(super) fn connect_in_d0(
        &self,
        process: &Arc<Process>,
        handle: u32,
    ) -> Result<(), ObjectError> {
        let state = self.gate.state.read();
        if matches!(*state, State::On) {
            return self.connect_now(process, handle);
        }
        drop(state);
        let mut state = self.gate.state.write();
        // Refused before the device is woken for it.
        self.table.doorbell(process, handle)?;
        let woke = self.wake_device(&mut state)?;
        if woke && self.options().wake_connect == WakeConnect::Create {
            self.create_again(process, handle)?;
        }
        let connected = self.connect_now(process, handle);
        if woke {
            Self::count(&self.counters.wakes_by_connect);
            self.resume_all()?;
        }
        connected
    }

    /// The device is gone: it is not woken any more, and software has to do without it.
    pub(super) fn give_up_power(&self) {
        *self.gate.state.write() = State::On;
    }

    /// D0 and memory; true if the device was asleep. Contexts are suspended still.
    fn wake_device(&self, state: &mut RwLockWriteGuard<'_, State>) -> Result<bool, ObjectError> {
        let State::Asleep { evicted } = &mut **state else {
            return Ok(false);
        };
        let evicted = std::mem::take(evicted);
        let touched = self.platform.power_on()?;
        if touched.registers != 0 || touched.memory {
            self.breach(format!(
                "PWDR-003: the device was touched while it had no power: {touched:?}"
            ));
        }
        // The action means nothing on the way to D0.
        let action = POWER_ACTION::PowerActionSleep;
        let on = DEVICE_POWER_STATE::PowerDeviceD0;
        **state = State::On;
        self.driver
            .set_power_state(self.adapter, ADAPTER, on, action)?;
        self.vidmm.rebuild_system()?;
        // The other way round, so that most of them come to lie elsewhere.
        for object in evicted.iter().rev() {
            let allocation = object.get()?;
            let mut residency = allocation.residency().lock();
            if residency.is_wanted() {
                self.bring_in(object, &allocation, &mut residency)?;
            }
        }
        Ok(true)
    }

    /// `DxgkDdiCreateDoorbell` for a queue that has a doorbell. The documents describe one doorbell
    /// for each queue, so a refusal is as good as a second one.
    fn create_again(&self, process: &Arc<Process>, handle: u32) -> Result<(), ObjectError> {
        let first = self.table.doorbell(process, handle)?;
        let request = first.request();
        let again = self.create_doorbell(
            process,
            &DoorbellRequest {
                queue: request.queue,
                ring: request.ring,
                control: request.control,
                private_data: &request.private_data,
                resize: false,
                secondary: false,
            },
        );
        match again {
            Ok(second) => self.destroy_doorbell(process, second.doorbell),
            Err(ObjectError::Ddi(DdiError::Refused { .. })) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn all_contexts(&self) -> Vec<Arc<Context>> {
        let objects = self.table.all().into_iter();
        let contexts = objects.filter_map(|object| match object {
            Object::Context(context) => Some(context),
            _ => None,
        });
        contexts.collect()
    }

    /// All are asked first, so that they leave the GPU together.
    fn suspend_all(&self) -> Result<(), ObjectError> {
        let mut pending = Vec::new();
        for context in self.all_contexts() {
            if let Some(fence) = self.call_suspend(&context)? {
                pending.push((context, fence));
            }
        }
        for (context, fence) in pending {
            self.await_suspend(&context, fence)?;
        }
        Ok(())
    }

    /// Those that were suspended before the device slept stay so.
    fn resume_all(&self) -> Result<(), ObjectError> {
        for context in self.all_contexts() {
            if !context.is_held() && !context.is_invalid() {
                self.call_resume(&context)?;
            }
        }
        Ok(())
    }

    fn all_allocations(&self) -> Vec<Arc<AllocationObject>> {
        let objects = self.table.all().into_iter();
        let allocations = objects.filter_map(|object| match object {
            Object::Allocation(allocation) => Some(allocation),
            _ => None,
        });
        allocations.collect()
    }

    fn evict_all(&self, evicted: &mut Vec<Arc<AllocationObject>>) -> Result<(), ObjectError> {
        for object in self.all_allocations() {
            let allocation = object.get()?;
            if allocation.place().system().is_some() {
                continue;
            }
            let mut residency = allocation.residency().lock();
            if residency.valid {
                self.take_out(&object, &mut residency)?;
            }
            self.vidmm.move_out(&allocation)?;
            drop(residency);
            evicted.push(object);
        }
        Ok(())
    }

    fn move_all(&self) -> Result<(), ObjectError> {
        for object in self.all_allocations() {
            let allocation = object.get()?;
            // What was just evicted comes back to local memory anyway.
            if allocation.user().is_none() {
                continue;
            }
            let mut residency = allocation.residency().lock();
            let was_valid = residency.valid;
            if was_valid {
                self.take_out(&object, &mut residency)?;
            }
            self.vidmm.move_out(&allocation)?;
            if was_valid {
                self.bring_in(&object, &allocation, &mut residency)?;
            }
        }
        Ok(())
    }

    /// No user address reaches the device when its power goes.
    ///
    /// # Panics
    /// When the model itself is wrong.
    ///
    /// regression: MAP-03
    fn check_revoked(&self) {
        for doorbell in self.table.doorbells() {
            let shows = doorbell.shows();
            assert_eq!(shows, None, "a doorbell is mapped while the power goes");
        }
    }
}
