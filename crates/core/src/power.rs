//! Power components: what the OS is told of them, and what it says of its runtime power management.
//!
//! A component is an engine that takes work from user mode ([`Surface::component`]); its index is
//! its place among them. It has two F-states: F0, in which its clock runs, and F1, in which the
//! clock may stop. Nothing is lost in F1, so nothing is saved, and an engine that finds work there
//! starts its clock by itself.
//!
//! [`Surface::component`]: crate::surface::Surface::component

use carillon_ddi::{
    DXGK_POWER_RUNTIME_STATE, GUID, GUID_DXGKDDI_POWER_MANAGEMENT_PREPARE_TO_START,
    GUID_DXGKDDI_POWER_MANAGEMENT_STARTED, GUID_DXGKDDI_POWER_MANAGEMENT_STOPPED,
};

use crate::error::{Error, Result};

/// An F-state of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FState {
    /// Fully on.
    F0,
    /// The engine's clock may stop.
    F1,
}

impl FState {
    /// How many there are.
    pub const COUNT: u32 = 2;
    /// All of them in the order of their numbers.
    pub const ALL: [Self; Self::COUNT as usize] = [Self::F0, Self::F1];

    /// The F-state with a number.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] past the last one.
    pub fn from_number(number: u32) -> Result<Self> {
        usize::try_from(number)
            .ok()
            .and_then(|index| Self::ALL.get(index).copied())
            .ok_or(Error::InvalidParameter)
    }

    /// Times in units of 100 ns, power in microwatts. The engine is virtual, so the numbers are
    /// nominal: a clock that starts within 100 microseconds, worth stopping for a millisecond.
    /// Page `ns-d3dkmddi-_dxgk_power_runtime_state`.
    pub const fn describe(self) -> DXGK_POWER_RUNTIME_STATE {
        match self {
            Self::F0 => DXGK_POWER_RUNTIME_STATE {
                TransitionLatency: 0,
                ResidencyRequirement: 0,
                NominalPower: 1_000_000,
            },
            Self::F1 => DXGK_POWER_RUNTIME_STATE {
                TransitionLatency: 1_000,
                ResidencyRequirement: 10_000,
                NominalPower: 100_000,
            },
        }
    }
}

/// What dxgkrnl says of its runtime power management. Page
/// `nc-d3dkmddi-dxgkddipowerruntimecontrolrequest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The components are registered.
    PrepareToStart,
    /// They are managed from here on.
    Started,
    /// They are about to be unregistered.
    Stopped,
}

impl Notice {
    /// The notice that a control code stands for.
    ///
    /// # Errors
    /// [`Error::NotSupported`] for any other code: the driver and the platform's power extension
    /// have nothing to tell each other.
    pub fn from_code(code: &GUID) -> Result<Self> {
        match *code {
            GUID_DXGKDDI_POWER_MANAGEMENT_PREPARE_TO_START => Ok(Self::PrepareToStart),
            GUID_DXGKDDI_POWER_MANAGEMENT_STARTED => Ok(Self::Started),
            GUID_DXGKDDI_POWER_MANAGEMENT_STOPPED => Ok(Self::Stopped),
            _ => Err(Error::NotSupported),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// contract: PWF-016
    #[test]
    fn a_deeper_state_takes_longer_and_draws_less() {
        let [shallow, deep] = FState::ALL.map(FState::describe);
        assert_eq!(shallow.TransitionLatency, 0);
        assert_eq!(shallow.ResidencyRequirement, 0);
        assert_ne!(shallow.NominalPower, 0);
        assert!(deep.TransitionLatency > 0 && deep.ResidencyRequirement > 0);
        assert!(deep.NominalPower < shallow.NominalPower);
    }

    #[test]
    fn numbers_are_positions_and_there_are_two() {
        assert_eq!(FState::from_number(0), Ok(FState::F0));
        assert_eq!(FState::from_number(1), Ok(FState::F1));
        for number in [2, 7, 8, u32::MAX] {
            let refusal = FState::from_number(number);
            assert_eq!(refusal, Err(Error::InvalidParameter), "{number}");
        }
    }

    #[test]
    fn codes_that_dxgkrnl_does_not_send_are_not_supported() {
        let started = GUID_DXGKDDI_POWER_MANAGEMENT_STARTED;
        assert_eq!(Notice::from_code(&started), Ok(Notice::Started));
        let stopped = GUID_DXGKDDI_POWER_MANAGEMENT_STOPPED;
        assert_eq!(Notice::from_code(&stopped), Ok(Notice::Stopped));
        let prepare = GUID_DXGKDDI_POWER_MANAGEMENT_PREPARE_TO_START;
        assert_eq!(Notice::from_code(&prepare), Ok(Notice::PrepareToStart));
        let mut near = started;
        near.Data4[7] ^= 1;
        for code in [near, GUID::ZERO] {
            assert_eq!(Notice::from_code(&code), Err(Error::NotSupported));
        }
    }
}
