//! Rules about caps, engines, features and the slots behind them.

use carillon_ddi::{
    DXGK_DRIVERCAPS, DXGK_ENGINE_TYPE, DXGK_MAX_ASYMETRICAL_PROCESSING_NODES,
    DXGK_MAX_DOORBELL_SIZE_BYTES, DXGK_NODEMETADATA,
};

use super::{FIVE_SITES, Situation, slots};
use crate::dxgk::adapter::caps::Caps;
use crate::dxgk::rejected::{Rejected, Rule};

const VIDSCH: &str = "ns-d3dkmddi-_dxgk_vidschcaps";
const DRIVERCAPS: &str = "ns-d3dkmddi-_dxgk_drivercaps";
const FENCES: &str = "native-gpu-fence-objects";
const SUBMISSION: &str = "user-mode-work-submission";

/// Judges everything that is not memory.
pub(super) fn all(caps: &Caps, situation: &Situation) -> Result<(), Rejected> {
    scheduling(&caps.driver, situation)?;
    driver(&caps.driver, situation)?;
    features(caps, situation)?;
    for (ordinal, node) in caps.nodes.iter().enumerate() {
        self::node(ordinal, node, situation)?;
    }
    precision(caps)?;
    doorbells(caps)?;
    fences(caps)
}

fn scheduling(caps: &DXGK_DRIVERCAPS, situation: &Situation) -> Result<(), Rejected> {
    let bits = caps.SchedulingCaps;
    let (engines, preemption) = (bits.MultiEngineAware(), bits.PreemptionAware());
    let field = |name: &str| format!("DXGK_VIDSCHCAPS.{name}");
    Rule::new("needs MultiEngineAware", VIDSCH).demand(
        !preemption || engines,
        &field("PreemptionAware"),
        preemption,
    )?;
    Rule::new("needs PreemptionAware and MultiEngineAware", VIDSCH).demand(
        !bits.NoDmaPatching() || (preemption && engines),
        &field("NoDmaPatching"),
        true,
    )?;
    Rule::new("needs MultiEngineAware", VIDSCH).demand(
        !bits.CancelCommandAware() || engines,
        &field("CancelCommandAware"),
        true,
    )?;
    if bits.CancelCommandAware() {
        let rule = Rule::new("CancelCommandAware is reported", VIDSCH);
        slots(situation.table, rule, &["DxgkDdiCancelCommand"])?;
    }
    Rule::new(
        "may be reported only while DXGK_FEATURE_NATIVE_FENCE is on",
        FENCES,
    )
    .demand(
        !bits.NativeGpuFence() || situation.native_fence,
        &field("NativeGpuFence"),
        true,
    )?;
    Rule::new("needs NativeGpuFence", FENCES).demand(
        !bits.OptimizedNativeFenceSignaledInterrupt() || bits.NativeGpuFence(),
        &field("OptimizedNativeFenceSignaledInterrupt"),
        true,
    )?;
    Rule::new("reserved bits have to be 0", VIDSCH).demand(
        bits.Reserved() == 0,
        &field("Reserved"),
        bits.Reserved(),
    )
}

fn driver(caps: &DXGK_DRIVERCAPS, situation: &Situation) -> Result<(), Rejected> {
    const FLIP: Rule = Rule::new(
        "has to be reported by a render-only adapter too, with MaxQueuedFlipOnVSync",
        "observed: Code 43 on a render-only WDDM 3.2 adapter without the pair",
    );
    let flip = caps.FlipCaps.FlipOnVSyncMmIo();
    FLIP.demand(flip, "DXGK_FLIPCAPS.FlipOnVSyncMmIo", flip)?;
    let queued = caps.MaxQueuedFlipOnVSync;
    FLIP.demand(queued > 0, "DXGK_DRIVERCAPS.MaxQueuedFlipOnVSync", queued)?;
    let highest = caps.HighestAcceptableAddress.get();
    Rule::new(
        "has to cover all system memory unless the driver remaps DMA",
        "mcdm-implementation-guidelines; iommu-dma-remapping",
    )
    .demand(
        highest >= situation.highest_address,
        "DXGK_DRIVERCAPS.HighestAcceptableAddress",
        format_args!("{highest:#x}"),
    )?;
    let message = caps.InterruptMessageNumber;
    Rule::new(
        "the device has one message, 0",
        "nc-d3dkmddi-dxgkcb_notify_interrupt",
    )
    .demand(
        message == 0,
        "DXGK_DRIVERCAPS.InterruptMessageNumber",
        message,
    )?;
    let nodes = caps.GpuEngineTopology.NbAsymetricProcessingNodes;
    let most = u32::try_from(DXGK_MAX_ASYMETRICAL_PROCESSING_NODES).unwrap_or(u32::MAX);
    Rule::new(
        "an adapter has 1 to 64 nodes",
        "ns-d3dkmddi-_dxgk_gpuenginetopology",
    )
    .demand(
        (1..=most).contains(&nodes),
        "DXGK_GPUENGINETOPOLOGY.NbAsymetricProcessingNodes",
        nodes,
    )?;
    backed(caps, situation)
}

/// What is reported has the slots that do it.
fn backed(caps: &DXGK_DRIVERCAPS, situation: &Situation) -> Result<(), Rejected> {
    let rules: [(u8, &'static str, &[&str]); 3] = [
        (
            caps.SupportPerEngineTDR,
            "SupportPerEngineTDR is reported",
            &[
                "DxgkDdiQueryDependentEngineGroup",
                "DxgkDdiQueryEngineStatus",
                "DxgkDdiResetEngine",
            ],
        ),
        (
            caps.SupportRuntimePowerManagement,
            "SupportRuntimePowerManagement is reported",
            &[
                "DxgkDdiSetPowerComponentFState",
                "DxgkDdiPowerRuntimeControlRequest",
            ],
        ),
        (
            caps.SupportSurpriseRemoval,
            "SupportSurpriseRemoval is reported",
            &["DxgkDdiNotifySurpriseRemoval"],
        ),
    ];
    for (reported, text, needed) in rules {
        if reported != 0 {
            slots(situation.table, Rule::new(text, DRIVERCAPS), needed)?;
        }
    }
    Ok(())
}

/// What is on has the slots that do it.
fn features(caps: &Caps, situation: &Situation) -> Result<(), Rejected> {
    if situation.hwsch {
        let rule = Rule::new("DXGK_FEATURE_HWSCH is on", "mcdm-implementation-guidelines");
        slots(situation.table, rule, &HWSCH_SLOTS)?;
    }
    if situation.native_fence && caps.driver.SchedulingCaps.NativeGpuFence() {
        slots(
            situation.table,
            Rule::new("NativeGpuFence is reported", FENCES),
            &FENCE_SLOTS,
        )?;
    }
    if situation.user_mode_submission {
        let rule = Rule::new("DXGK_FEATURE_USER_MODE_SUBMISSION is on", SUBMISSION);
        slots(situation.table, rule, &DOORBELL_SLOTS)?;
        Rule::new("user-mode queues have native progress fences", FENCES).demand(
            caps.driver.SchedulingCaps.NativeGpuFence(),
            "DXGK_VIDSCHCAPS.NativeGpuFence",
            false,
        )?;
    }
    Ok(())
}

const HWSCH_SLOTS: [&str; 12] = [
    "DxgkDdiCreateHwContext",
    "DxgkDdiDestroyHwContext",
    "DxgkDdiCreateHwQueue",
    "DxgkDdiDestroyHwQueue",
    "DxgkDdiSubmitCommandToHwQueue",
    "DxgkDdiSuspendContext",
    "DxgkDdiResumeContext",
    "DxgkDdiSetContextSchedulingProperties",
    "DxgkDdiSetupPriorityBands",
    "DxgkDdiSetSchedulingLogBuffer",
    "DxgkDdiResetHwEngine",
    "DxgkDdiResumeHwEngine",
];
const FENCE_SLOTS: [&str; 8] = [
    "DxgkDdiCreateNativeFence",
    "DxgkDdiDestroyNativeFence",
    "DxgkDdiOpenNativeFence",
    "DxgkDdiCloseNativeFence",
    "DxgkDdiUpdateMonitoredValues",
    "DxgkDdiUpdateCurrentValuesFromCpu",
    "DxgkDdiSetNativeFenceLogBuffer",
    "DxgkDdiUpdateNativeFenceLogs",
];
const DOORBELL_SLOTS: [&str; 5] = [
    "DxgkDdiCreateDoorbell",
    "DxgkDdiConnectDoorbell",
    "DxgkDdiDisconnectDoorbell",
    "DxgkDdiDestroyDoorbell",
    "DxgkDdiNotifyWorkSubmission",
];

fn node(
    ordinal: usize,
    metadata: &DXGK_NODEMETADATA,
    situation: &Situation,
) -> Result<(), Rejected> {
    const PAGE: &str = "ns-d3dkmdt-_dxgk_nodemetadata";
    const FLAGS: &str = "ns-d3dkmdt-_dxgk_nodemetadata_flags";
    let field = |name: &str| format!("DXGK_NODEMETADATA[{ordinal}].{name}");
    let DXGK_NODEMETADATA {
        EngineType,
        FriendlyName,
        Flags,
        GpuMmuSupported,
        IoMmuSupported,
    } = *metadata;
    let known = (0..DXGK_ENGINE_TYPE::DXGK_ENGINE_TYPE_MAX.0).contains(&EngineType.0);
    Rule::new("has to be an engine type", PAGE).demand(
        known,
        &field("EngineType"),
        EngineType.0,
    )?;
    let other = EngineType == DXGK_ENGINE_TYPE::DXGK_ENGINE_TYPE_OTHER;
    let named = FriendlyName[0] != 0;
    let text = String::from_utf16_lossy(&FriendlyName);
    Rule::new("is for engines of type OTHER, terminated", PAGE).demand(
        if other {
            FriendlyName.contains(&0)
        } else {
            !named
        },
        &field("FriendlyName"),
        text,
    )?;
    Rule::new("has to be TRUE: the adapter reports GpuMmu", FIVE_SITES).demand(
        GpuMmuSupported != 0,
        &field("GpuMmuSupported"),
        GpuMmuSupported,
    )?;
    Rule::new("excludes GpuMmuSupported", FIVE_SITES).demand(
        IoMmuSupported == 0,
        &field("IoMmuSupported"),
        IoMmuSupported,
    )?;
    let on = [
        (
            "ContextSchedulingSupported",
            Flags.ContextSchedulingSupported(),
            situation.hwsch,
        ),
        (
            "UserModeSubmission",
            Flags.UserModeSubmission(),
            situation.user_mode_submission,
        ),
        (
            "SupportBuildTestCommandBuffer",
            Flags.SupportBuildTestCommandBuffer(),
            situation.kernel_mode_testing,
        ),
    ];
    for (name, reported, feature) in on {
        let rule = Rule::new("may be reported only while its feature is on", FLAGS);
        rule.demand(!reported || feature, &field(name), reported)?;
    }
    Rule::new(
        "needs ContextSchedulingSupported: its queues are hardware queues",
        FLAGS,
    )
    .demand(
        !Flags.UserModeSubmission() || Flags.ContextSchedulingSupported(),
        &field("UserModeSubmission"),
        true,
    )?;
    Rule::new("reserved bits have to be 0", FLAGS).demand(
        Flags.Reserved() == 0,
        &field("Flags.Reserved"),
        Flags.Reserved(),
    )
}

fn precision(caps: &Caps) -> Result<(), Rejected> {
    const RULE: Rule = Rule::new(
        "time stamps have 32 to 64 bits",
        "observed: ADAPTER_RENDER::Initialize fails outside of that range",
    );
    for (node, bits) in caps.precision.iter().enumerate() {
        let field = format!("DXGKARG_HISTORYBUFFERPRECISION[{node}].PrecisionBits");
        RULE.demand((32..=64).contains(bits), &field, bits)?;
    }
    Ok(())
}

fn doorbells(caps: &Caps) -> Result<(), Rejected> {
    const PAGE: &str = "ns-d3dkmddi-dxgk_usermodesubmission_caps";
    let Some(caps) = &caps.user_mode_submission else {
        return Ok(());
    };
    let most = u32::try_from(DXGK_MAX_DOORBELL_SIZE_BYTES).unwrap_or(u32::MAX);
    let field = |name: &str| format!("DXGK_USERMODESUBMISSION_CAPS.{name}");
    let size = caps.DoorbellSizeInBytes;
    Rule::new(
        "has to be 1 to 16384: the OS sizes the dummy page by it",
        PAGE,
    )
    .demand(
        (1..=most).contains(&size),
        &field("DoorbellSizeInBytes"),
        size,
    )?;
    let second = caps.SecondaryDoorbellSizeInBytes;
    let wanted = caps.Flags.SecondaryDoorbellSupported();
    Rule::new("has to agree with SecondaryDoorbellSupported", PAGE).demand(
        if wanted {
            (1..=most).contains(&second)
        } else {
            second == 0
        },
        &field("SecondaryDoorbellSizeInBytes"),
        second,
    )?;
    let reserved = caps.Flags.Reserved() != 0 || caps.Reserved != [0; 16];
    let rule = Rule::new("has to be 0", PAGE);
    rule.demand(!reserved, &field("Reserved"), (caps.Flags, caps.Reserved))
}

fn fences(caps: &Caps) -> Result<(), Rejected> {
    const PAGE: &str = "ns-d3dkmddi-dxgk_native_fence_caps";
    let Some(caps) = &caps.native_fence else {
        return Ok(());
    };
    let field = |name: &str| format!("DXGK_NATIVE_FENCE_CAPS.{name}");
    let (low, high) = (caps.MinimumAddress, caps.MaximumAddress);
    Rule::new("has to be below MaximumAddress", PAGE).demand(
        high == 0 || low < high,
        &field("MinimumAddress"),
        (low, high),
    )?;
    let rule = Rule::new("has to be 0", PAGE);
    rule.demand(caps.Reserved == [0; 28], &field("Reserved"), caps.Reserved)
}
