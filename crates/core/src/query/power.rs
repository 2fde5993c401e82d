//! `DXGKQAITYPE_NUMPOWERCOMPONENTS` and `DXGKQAITYPE_POWERCOMPONENTINFO`.

use core::mem::offset_of;

use carillon_ddi::{
    DXGK_POWER_COMPONENT_FLAGS, DXGK_POWER_COMPONENT_NAME_SIZE, DXGK_POWER_COMPONENT_TYPE,
    DXGK_POWER_RUNTIME_COMPONENT, DXGK_POWER_RUNTIME_STATE, GUID,
};

use super::output::{Output, read_u32};
use crate::error::Result;
use crate::power::FState;
use crate::surface::{Node, Surface};

/// How many components there are.
pub(super) fn count(surface: &Surface, out: &mut [u8]) -> Result {
    Output::cleared(out, size_of::<u32>())?.u32(0, surface.components());
    Ok(())
}

/// One component; the input is its index. No other component has to be active before it.
pub(super) fn info(surface: &Surface, input: &[u8], out: &mut [u8]) -> Result {
    type Component = DXGK_POWER_RUNTIME_COMPONENT;
    let node = surface.component(read_u32(input, 0)?)?;
    let mut out = Output::cleared(out, size_of::<Component>())?;
    out.u32(offset_of!(Component, StateCount), FState::COUNT);
    let places = (offset_of!(Component, States)..).step_by(size_of::<DXGK_POWER_RUNTIME_STATE>());
    for (at, state) in places.zip(FState::ALL) {
        put_state(&mut out, at, &state.describe());
    }
    out.i32(
        offset_of!(Component, ComponentMapping.ComponentType),
        DXGK_POWER_COMPONENT_TYPE::DXGK_POWER_COMPONENT_ENGINE.0,
    );
    out.u32(
        offset_of!(Component, ComponentMapping.Anonymous.EngineDesc.NodeIndex),
        node.ordinal().into(),
    );
    // A transition is over when its DDI returns, so there is no completion to announce.
    out.u32(
        offset_of!(Component, Flags),
        DXGK_POWER_COMPONENT_FLAGS::new().into_bits(),
    );
    let (identity, name) = identity(node);
    put_guid(&mut out, offset_of!(Component, ComponentGuid), &identity);
    out.ascii(
        offset_of!(Component, ComponentName),
        name,
        DXGK_POWER_COMPONENT_NAME_SIZE,
    );
    Ok(())
}

/// What the platform's power extension and profilers call a component.
const fn identity(node: Node) -> (GUID, &'static str) {
    let (last, name) = match node {
        Node::Graphics => (0xA0, "Graphics engine"),
        Node::Compute => (0xA1, "Compute engine"),
        Node::Copy => (0xA2, "Copy engine"),
    };
    let identity = GUID {
        Data1: 0x6D3B_52C1,
        Data2: 0x0E7F,
        Data3: 0x4B93,
        Data4: [0x9A, 0x44, 0x21, 0xC8, 0x5F, 0x70, 0xD6, last],
    };
    (identity, name)
}

fn put_state(out: &mut Output<'_>, at: usize, state: &DXGK_POWER_RUNTIME_STATE) {
    type State = DXGK_POWER_RUNTIME_STATE;
    let field = |offset| at.saturating_add(offset);
    out.u64(
        field(offset_of!(State, TransitionLatency)),
        state.TransitionLatency,
    );
    out.u64(
        field(offset_of!(State, ResidencyRequirement)),
        state.ResidencyRequirement,
    );
    out.u32(field(offset_of!(State, NominalPower)), state.NominalPower);
}

fn put_guid(out: &mut Output<'_>, at: usize, guid: &GUID) {
    let field = |offset| at.saturating_add(offset);
    out.u32(field(offset_of!(GUID, Data1)), guid.Data1);
    out.u16(field(offset_of!(GUID, Data2)), guid.Data2);
    out.u16(field(offset_of!(GUID, Data3)), guid.Data3);
    for (place, byte) in (field(offset_of!(GUID, Data4))..).zip(guid.Data4) {
        out.u8(place, byte);
    }
}
