//! `DxgkDdiGetNodeMetadata`.

use carillon_ddi::{DXGK_ENGINE_TYPE, DXGK_NODEMETADATA};

use crate::error::{Error, Result};
use crate::surface::{Node, Surface};

/// What the OS learns of a node. `selector` is `NodeOrdinalAndAdapterIndex`: the ordinal in the
/// low half, the physical adapter, always 0, in the high half. Page
/// `nc-d3dkmddi-dxgkddi_getnodemetadata`. IRQL: PASSIVE_LEVEL.
///
/// # Errors
/// [`Error::InvalidParameter`] for a node or an adapter that is not there.
pub fn metadata(surface: &Surface, selector: u32) -> Result<DXGK_NODEMETADATA> {
    let [low, high, adapter_low, adapter_high] = selector.to_le_bytes();
    if u16::from_le_bytes([adapter_low, adapter_high]) != 0 {
        return Err(Error::InvalidParameter);
    }
    let node = Node::from_ordinal(u16::from_le_bytes([low, high]).into())?;
    // There is no engine type for compute; an engine of type "other" goes by its name, and only
    // such an engine has one.
    let (engine, name) = match node {
        Node::Graphics => (DXGK_ENGINE_TYPE::DXGK_ENGINE_TYPE_3D, ""),
        Node::Compute => (DXGK_ENGINE_TYPE::DXGK_ENGINE_TYPE_OTHER, "Compute"),
        Node::Copy => (DXGK_ENGINE_TYPE::DXGK_ENGINE_TYPE_COPY, ""),
    };
    let mut friendly = [0; 32];
    let room = friendly.len() - 1;
    for (slot, unit) in friendly.iter_mut().zip(name.encode_utf16()).take(room) {
        *slot = unit;
    }
    Ok(DXGK_NODEMETADATA {
        EngineType: engine,
        FriendlyName: friendly,
        Flags: surface.node_flags(node),
        GpuMmuSupported: 1,
        IoMmuSupported: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::FeatureState;
    use crate::surface::tests::{every_state, facts};

    const ON: FeatureState = FeatureState {
        hwsch: true,
        native_fence: true,
        user_mode_submission: true,
    };

    /// contract: NOD-001, NOD-002, NOD-004, NOD-008
    #[test]
    fn every_node_is_described() {
        let surface = Surface::new(&facts(), ON);
        let types = [
            DXGK_ENGINE_TYPE::DXGK_ENGINE_TYPE_3D,
            DXGK_ENGINE_TYPE::DXGK_ENGINE_TYPE_OTHER,
            DXGK_ENGINE_TYPE::DXGK_ENGINE_TYPE_COPY,
        ];
        for (selector, expected) in (0..).zip(types) {
            let answer = metadata(&surface, selector).unwrap();
            let (engine, flags) = (answer.EngineType, answer.Flags);
            assert_eq!(engine, expected);
            assert_eq!(flags.UserModeSubmission(), selector < 2);
            assert_eq!(flags.ContextSchedulingSupported(), selector < 2);
            assert_eq!((answer.GpuMmuSupported, answer.IoMmuSupported), (1, 0));
            let name = answer.FriendlyName;
            assert_eq!(name[31], 0);
            assert_eq!(name[0] != 0, selector == 1);
        }
    }

    #[test]
    fn flags_follow_the_surface() {
        for features in every_state() {
            let surface = Surface::new(&facts(), features);
            for (selector, node) in (0..).zip(Node::ALL) {
                let flags = metadata(&surface, selector).unwrap().Flags;
                assert_eq!(flags, surface.node_flags(node));
            }
        }
    }

    /// contract: NOD-001
    #[test]
    fn what_is_not_there_is_refused() {
        let surface = Surface::new(&facts(), ON);
        for selector in [3, 0xFFFF, 0x1_0000, 0x1_0001, u32::MAX] {
            let refusal = metadata(&surface, selector).map(|_| ());
            assert_eq!(refusal, Err(Error::InvalidParameter), "{selector:#x}");
        }
    }
}
