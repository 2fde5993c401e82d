//! Interface versions: which members of the tables exist, one value per display driver model.

/// Interface version of VISTA.
pub const DXGKDDI_INTERFACE_VERSION_VISTA: u32 = 0x1052;
/// Interface version of VISTA_SP1.
pub const DXGKDDI_INTERFACE_VERSION_VISTA_SP1: u32 = 0x1053;
/// Interface version of WDDM1_3.
pub const DXGKDDI_INTERFACE_VERSION_WDDM1_3: u32 = 0x4002;
/// Interface version of WDDM2_0.
pub const DXGKDDI_INTERFACE_VERSION_WDDM2_0: u32 = 0x5023;
/// Interface version of WDDM2_1.
pub const DXGKDDI_INTERFACE_VERSION_WDDM2_1: u32 = 0x6003;
/// Interface version of WDDM2_1_5.
pub const DXGKDDI_INTERFACE_VERSION_WDDM2_1_5: u32 = 0x6010;
/// Interface version of WDDM2_1_6.
pub const DXGKDDI_INTERFACE_VERSION_WDDM2_1_6: u32 = 0x6011;
/// Interface version of WDDM2_2.
pub const DXGKDDI_INTERFACE_VERSION_WDDM2_2: u32 = 0x700A;
/// Interface version of WDDM2_3.
pub const DXGKDDI_INTERFACE_VERSION_WDDM2_3: u32 = 0x8001;
/// Interface version of WDDM2_4.
pub const DXGKDDI_INTERFACE_VERSION_WDDM2_4: u32 = 0x9006;
/// Interface version of WDDM2_5.
pub const DXGKDDI_INTERFACE_VERSION_WDDM2_5: u32 = 0xA00B;
/// Interface version of WDDM2_6.
pub const DXGKDDI_INTERFACE_VERSION_WDDM2_6: u32 = 0xB004;
/// Interface version of WDDM2_7.
pub const DXGKDDI_INTERFACE_VERSION_WDDM2_7: u32 = 0xC004;
/// Interface version of WDDM2_8.
pub const DXGKDDI_INTERFACE_VERSION_WDDM2_8: u32 = 0xD001;
/// Interface version of WDDM2_9.
pub const DXGKDDI_INTERFACE_VERSION_WDDM2_9: u32 = 0xE003;
/// Interface version of WDDM3_0.
pub const DXGKDDI_INTERFACE_VERSION_WDDM3_0: u32 = 0xF003;
/// Interface version of WDDM3_1.
pub const DXGKDDI_INTERFACE_VERSION_WDDM3_1: u32 = 0x1_0004;
/// Interface version of WDDM3_2.
pub const DXGKDDI_INTERFACE_VERSION_WDDM3_2: u32 = 0x1_1007;
/// Interface version of WIN7.
pub const DXGKDDI_INTERFACE_VERSION_WIN7: u32 = 0x2005;
/// Interface version of WIN8.
pub const DXGKDDI_INTERFACE_VERSION_WIN8: u32 = 0x300E;
