//! Private messages from a client to the driver.

use std::sync::Arc;

use carillon_ddi::{D3DDDI_ESCAPEFLAGS, DXGKARG_ESCAPE, HANDLE};

use super::process::Process;
use super::rewrite::under_rewrite;
use super::{ObjectError, ObjectManager};
use crate::dxgk::driver::{DdiError, Guarded};

/// Longest private data that the model passes on.
pub const PRIVATE_DATA_LIMIT: usize = 64 << 10;

impl ObjectManager {
    /// `D3DKMTEscape` of type `D3DKMT_ESCAPE_DRIVERPRIVATE`, without flags. The driver gets a copy
    /// of `data` beside a guard page; what it leaves there comes back, on failure too.
    ///
    /// # Errors
    /// A handle is none of the process', the data is too long, or the driver refuses.
    pub fn escape(
        &self,
        process: &Arc<Process>,
        device: Option<u32>,
        context: Option<u32>,
        data: &mut [u8],
    ) -> Result<(), ObjectError> {
        const DDI: &str = "DxgkDdiEscape";
        if data.len() > PRIVATE_DATA_LIMIT {
            return Err(ObjectError::Parameter(
                "private data of an escape is too long",
            ));
        }
        let device = device
            .map(|handle| self.table.device(process, handle))
            .transpose()?;
        let context = context
            .map(|handle| self.table.context(process, handle))
            .transpose()?;
        let lent = Guarded::from_slice(data).map_err(|_| DdiError::NoMemory { ddi: DDI })?;
        let null: HANDLE = std::ptr::null_mut();
        let args = DXGKARG_ESCAPE {
            hDevice: device.map_or(null, |device| device.kmd.raw()),
            Flags: D3DDDI_ESCAPEFLAGS::new(),
            pPrivateDriverData: if data.is_empty() {
                std::ptr::null_mut()
            } else {
                lent.as_mut_ptr().cast()
            },
            PrivateDriverDataSize: u32::try_from(data.len()).unwrap_or(u32::MAX),
            hContext: context.map_or(null, |context| context.kmd.raw()),
            hKmdProcessHandle: process.kmd.raw(),
        };
        let result = under_rewrite(self.options().rewrite, &lent, || {
            self.driver.escape(self.adapter, &args)
        });
        data.copy_from_slice(&lent.values());
        Ok(result?)
    }
}
