//! What an administrator may set: values of the adapter's software key in the registry.
//!
//! A value that is not there, of another type, or out of range leaves the default; none of them
//! fails a start.

use crate::platform::Ticks;

/// Units of [`Ticks`] in a millisecond.
const TICKS_PER_MILLISECOND: u64 = 10_000;
/// A longer wait than this is taken for a slip of the pen.
const MAX_IDLE_MILLISECONDS: u32 = 60_000;

/// What an administrator may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Use at most this many doorbell pages; never 0.
    pub doorbell_limit: Option<u32>,
    /// A busy queue keeps a page for at least this long. No registry value.
    pub residence: Ticks,
    /// New doorbells are connected as `CONNECTED_NOTIFY_KMD`.
    pub notify: bool,
    /// An engine that has been idle for this long is asked down to F1; 0 for never.
    pub engine_quiet: Ticks,
    /// Values that were there and could not be used.
    pub ignored: u32,
}

impl Default for Settings {
    /// All pages; 500 microseconds, about ten times what a reconnect costs; 100 milliseconds, long
    /// against the gaps in work that goes on.
    fn default() -> Self {
        Self {
            doorbell_limit: None,
            residence: Ticks(5_000),
            notify: false,
            engine_quiet: Ticks(100 * TICKS_PER_MILLISECOND),
            ignored: 0,
        }
    }
}

/// A value of the software key, a `REG_DWORD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingName {
    /// Doorbell pages to use, at least 1; more than the device has are all.
    DoorbellLimit,
    /// 1: new doorbells ask their clients to notify. 0: they do not.
    NotifyWorkSubmission,
    /// Milliseconds, up to 60000, after which an idle engine is asked down to F1; 0 for never.
    EngineIdleMilliseconds,
}

impl SettingName {
    /// All of them.
    pub const ALL: [Self; 3] = [
        Self::DoorbellLimit,
        Self::NotifyWorkSubmission,
        Self::EngineIdleMilliseconds,
    ];

    /// The name in the registry, ASCII.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DoorbellLimit => "DoorbellLimit",
            Self::NotifyWorkSubmission => "NotifyWorkSubmission",
            Self::EngineIdleMilliseconds => "EngineIdleMilliseconds",
        }
    }
}

/// What the registry holds under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// No value.
    Absent,
    /// A `REG_DWORD`.
    Dword(u32),
    /// A value of another type or size, or one that cannot be read.
    Unusable,
}

impl Settings {
    /// The settings that a registry holds.
    pub fn read(mut stored: impl FnMut(SettingName) -> Stored) -> Self {
        let mut settings = Self::default();
        for name in SettingName::ALL {
            let used = match stored(name) {
                Stored::Absent => true,
                Stored::Dword(value) => settings.set(name, value),
                Stored::Unusable => false,
            };
            settings.ignored += u32::from(!used);
        }
        settings
    }

    /// Whether the value is one that the setting may have.
    fn set(&mut self, name: SettingName, value: u32) -> bool {
        match (name, value) {
            (SettingName::DoorbellLimit, 1..) => self.doorbell_limit = Some(value),
            (SettingName::NotifyWorkSubmission, 0 | 1) => self.notify = value == 1,
            (SettingName::EngineIdleMilliseconds, 0..=MAX_IDLE_MILLISECONDS) => {
                let ticks = u64::from(value) * TICKS_PER_MILLISECOND;
                self.engine_quiet = Ticks(ticks);
            }
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: SettingName, stored: Stored) -> Settings {
        Settings::read(|asked| {
            if asked == name {
                stored
            } else {
                Stored::Absent
            }
        })
    }

    #[test]
    fn an_empty_registry_is_the_default() {
        let mut asked = 0;
        let settings = Settings::read(|_| {
            asked += 1;
            Stored::Absent
        });
        assert_eq!(settings, Settings::default());
        assert_eq!(asked, SettingName::ALL.len());
    }

    #[test]
    fn values_in_range_are_taken() {
        for value in [1, 2, u32::MAX] {
            let settings = with(SettingName::DoorbellLimit, Stored::Dword(value));
            assert_eq!(settings.doorbell_limit, Some(value));
        }
        for value in [0, 1] {
            let settings = with(SettingName::NotifyWorkSubmission, Stored::Dword(value));
            assert_eq!(settings.notify, value == 1);
            assert_eq!(settings.ignored, 0);
        }
        for (value, ticks) in [(0, 0), (1, 10_000), (60_000, 600_000_000)] {
            let settings = with(SettingName::EngineIdleMilliseconds, Stored::Dword(value));
            assert_eq!(settings.engine_quiet, Ticks(ticks));
        }
    }

    #[test]
    fn what_cannot_be_used_is_counted_and_leaves_the_default() {
        let expected = Settings {
            ignored: 1,
            ..Settings::default()
        };
        for name in SettingName::ALL {
            assert_eq!(with(name, Stored::Unusable), expected);
        }
        for (name, value) in [
            (SettingName::DoorbellLimit, 0),
            (SettingName::NotifyWorkSubmission, 2),
            (SettingName::NotifyWorkSubmission, u32::MAX),
            (SettingName::EngineIdleMilliseconds, 60_001),
            (SettingName::EngineIdleMilliseconds, u32::MAX),
        ] {
            assert_eq!(with(name, Stored::Dword(value)), expected, "{name:?}");
        }
        let all = Settings::read(|_| Stored::Unusable);
        assert_eq!(all.ignored, 3);
    }
}
