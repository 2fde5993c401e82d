//! Registration and start of adapters, with a driver made of Rust functions: the well-behaved one
//! starts without a violation, and each variation is refused for what it changes.

mod fake_driver;

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use carillon_bench::dxgk::adapter::features::{FeatureConfig, Setting};
use carillon_bench::dxgk::adapter::{Adapter, AdapterConfig, StartError, State};
use carillon_bench::dxgk::interface::{Notification, Notifications};
use carillon_bench::dxgk::registration::Dxgkrnl;
use carillon_bench::nt::Nt;
use carillon_ddi::*;
use fake_driver::{Miniport, Variation, machine, table, vary};

fn start(
    variation: Variation,
    config: AdapterConfig,
) -> (Arc<Dxgkrnl>, Arc<Adapter>, Result<(), StartError>) {
    vary(variation);
    let (dxgkrnl, device) = machine(&table());
    let adapter = Adapter::add(&dxgkrnl, device, config).unwrap();
    let result = adapter.start();
    (dxgkrnl, adapter, result)
}

fn violations(dxgkrnl: &Dxgkrnl) -> Vec<String> {
    dxgkrnl
        .nt()
        .verifier
        .take_violations()
        .iter()
        .map(|violation| violation.kind.to_string())
        .collect()
}

/// Starts the variation and expects the refusal of `field`.
#[track_caller]
fn refused(variation: Variation, field: &str) {
    let (dxgkrnl, adapter, result) = start(variation, AdapterConfig::default());
    match result {
        Err(StartError::Rejected { rejected, .. }) => {
            assert_eq!(rejected.field, field, "{rejected}");
            assert!(!rejected.source.is_empty());
        }
        other => panic!("expected a refusal of {field}, got {other:?}"),
    }
    adapter.remove().unwrap();
    dxgkrnl.unload().unwrap();
    assert_eq!(violations(&dxgkrnl), [""; 0]);
}

#[test]
fn a_good_driver_starts_stops_and_starts_again_in_any_order_of_queries() {
    for seed in 0..8 {
        let config = AdapterConfig {
            seed,
            ..AdapterConfig::default()
        };
        let (dxgkrnl, adapter, result) = start(Variation::default(), config);
        result.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let caps = adapter.caps().unwrap();
        assert_eq!(caps.segments.list.len(), 2);
        assert_eq!(caps.user_mode_submission_nodes(), [0]);
        assert_eq!(caps.paging_node(), 1);
        assert_eq!(adapter.system().unwrap().node, 1);
        assert_eq!(
            adapter.device().register_exits(),
            (1, 0),
            "one read at start"
        );
        adapter.stop().unwrap();
        adapter.start().unwrap();
        adapter.remove().unwrap();
        assert_eq!(adapter.state(), State::Removed);
        dxgkrnl.unload().unwrap();
        assert_eq!(violations(&dxgkrnl), [""; 0], "seed {seed}");
    }
}

/// regression: WDDM-02
#[test]
fn registration_refuses_versions_and_holes() {
    type Change = fn(&mut DRIVER_INITIALIZATION_DATA);
    let cases: [(&str, Change); 4] = [
        ("Version", |table| {
            table.Version = DXGKDDI_INTERFACE_VERSION_WDDM3_1;
        }),
        ("Version", |table| {
            table.Version = DXGKDDI_INTERFACE_VERSION_WDDM3_2 + 1;
        }),
        ("DxgkDdiUnload", |table| table.DxgkDdiUnload = None),
        ("DxgkDdiSetRootPageTable", |table| {
            table.DxgkDdiSetRootPageTable = None;
        }),
    ];
    for (field, change) in cases {
        let dxgkrnl = Dxgkrnl::new(Nt::new().unwrap()).unwrap();
        let mut table = table();
        change(&mut table);
        assert_eq!(dxgkrnl.register(table).unwrap_err().field, field);
        assert!(dxgkrnl.driver().is_none());
    }
}

/// contract: CAP-007, CAP-015, CAP-016, CAP-017, CAP-020
/// regression: WDDM-04
#[test]
fn scheduling_caps_are_judged() {
    let with = |caps| Variation {
        caps,
        ..Variation::default()
    };
    refused(
        with(|caps| caps.SchedulingCaps.set_MultiEngineAware(false)),
        "DXGK_VIDSCHCAPS.PreemptionAware",
    );
    refused(
        with(|caps| caps.FlipCaps.set_FlipOnVSyncMmIo(false)),
        "DXGK_FLIPCAPS.FlipOnVSyncMmIo",
    );
    refused(
        with(|caps| caps.MaxQueuedFlipOnVSync = 0),
        "DXGK_DRIVERCAPS.MaxQueuedFlipOnVSync",
    );
    refused(
        with(|caps| caps.InterruptMessageNumber = 1),
        "DXGK_DRIVERCAPS.InterruptMessageNumber",
    );
    refused(
        with(|caps| caps.HighestAcceptableAddress = PHYSICAL_ADDRESS::new(0xFFFF)),
        "DXGK_DRIVERCAPS.HighestAcceptableAddress",
    );
    refused(
        with(|caps| caps.WDDMVersion = DXGK_WDDMVERSION::DXGKDDI_WDDMv3_1),
        "DXGK_DRIVERCAPS.WDDMVersion",
    );
    refused(
        with(|caps| {
            caps.MemoryManagementCaps
                .Anonymous
                .set_GpuMmuSupported(false);
        }),
        "DXGK_VIDMMCAPS.GpuMmuSupported",
    );
    refused(
        with(|caps| caps.MemoryManagementCaps.PagingNode = 2),
        "DXGK_VIDMMCAPS.PagingNode",
    );
}

/// contract: CAP-015, NOD-007
/// regression: WDDM-01
#[test]
fn other_sites_of_the_version_are_judged() {
    let old = DXGK_WDDMVERSION::DXGKDDI_WDDMv3_1.0;
    vary(Variation {
        wddm: old,
        ..Variation::default()
    });
    let (dxgkrnl, device) = machine(&table());
    let adapter = Adapter::add(&dxgkrnl, device, AdapterConfig::default()).unwrap();
    let error = adapter.start().unwrap_err().to_string();
    assert!(
        error.contains("DXGK_WDDMDEVICECAPS.WDDMVersion = 12544"),
        "{error}"
    );
    refused(
        Variation {
            node: |node| node.GpuMmuSupported = 0,
            ..Variation::default()
        },
        "DXGK_NODEMETADATA[0].GpuMmuSupported",
    );
}

/// regression: WDDM-08
#[test]
fn memory_is_judged() {
    let with = |segments| Variation {
        segments,
        ..Variation::default()
    };
    refused(with(|list| list.swap(0, 1)), "segment 1 Flags");
    refused(
        with(|list| list[1].Flags.set_CpuVisible(true)),
        "segment 2 CpuVisible",
    );
    refused(
        with(|list| {
            list[1].Flags.set_SupportsCpuHostAperture(true);
            list.push(list[0]);
        }),
        "segment 2 SupportsCpuHostAperture",
    );
    refused(
        with(|list| list[1].CommitLimit += 1),
        "segment 2 CommitLimit",
    );
    refused(with(Vec::clear), "DXGK_QUERYSEGMENTOUT4.NbSegment");
    for segment in [2, 3] {
        refused(
            Variation {
                paging_segment: segment,
                ..Variation::default()
            },
            "DXGK_QUERYSEGMENTOUT4.PagingBufferSegmentId",
        );
    }
    let with = |mmu| Variation {
        mmu,
        ..Variation::default()
    };
    refused(
        with(|caps| caps.PageTableUpdateMode = DXGK_PAGETABLEUPDATEMODE(0)),
        "DXGK_GPUMMUCAPS.PageTableUpdateMode",
    );
    refused(
        with(|caps| caps.PageTableLevelCount = 7),
        "DXGK_GPUMMUCAPS.PageTableLevelCount",
    );
    refused(
        with(|caps| caps.VirtualAddressBitCount = 40),
        "DXGK_GPUMMUCAPS.VirtualAddressBitCount",
    );
    let with = |level| Variation {
        level,
        ..Variation::default()
    };
    refused(
        with(|level| level.PageTableSizeInBytes = 4097),
        "DXGK_PAGE_TABLE_LEVEL_DESC[0].PageTableSizeInBytes",
    );
    refused(
        with(|level| level.PagingProcessPageTableSegmentId = 2),
        "DXGK_PAGE_TABLE_LEVEL_DESC[0].PagingProcessPageTableSegmentId",
    );
}

/// contract: CAP-002, CAP-019, FEA-006
/// regression: WDDM-05
#[test]
fn doorbells_nodes_and_handles_are_judged() {
    let sizes: [fn(&mut DXGK_USERMODESUBMISSION_CAPS); 2] = [
        |caps| caps.DoorbellSizeInBytes = 0,
        |caps| caps.DoorbellSizeInBytes = 16385,
    ];
    for doorbells in sizes {
        refused(
            Variation {
                doorbells,
                ..Variation::default()
            },
            "DXGK_USERMODESUBMISSION_CAPS.DoorbellSizeInBytes",
        );
    }
    for precision in [0, 31, 65] {
        refused(
            Variation {
                precision,
                ..Variation::default()
            },
            "DXGKARG_HISTORYBUFFERPRECISION[0].PrecisionBits",
        );
    }
    refused(
        Variation {
            sources: 1,
            ..Variation::default()
        },
        "NumberOfVideoPresentSources",
    );
    refused(
        Variation {
            process: 0,
            ..Variation::default()
        },
        "hKmdProcess",
    );
    refused(
        Variation {
            context_size: 0,
            ..Variation::default()
        },
        "DXGK_CONTEXTINFO.DmaBufferSize",
    );
    refused(
        Variation {
            support: |answer| answer.MinSupportedVersion = 0,
            ..Variation::default()
        },
        "DXGKARG_QUERYFEATURESUPPORT.MinSupportedVersion",
    );
}

/// regression: WDDM-05
#[test]
fn precision_at_both_ends_is_accepted() {
    for precision in [32, 64] {
        let variation = Variation {
            precision,
            ..Variation::default()
        };
        let (_dxgkrnl, adapter, result) = start(variation, AdapterConfig::default());
        result.unwrap();
        adapter.remove().unwrap();
    }
}

/// regression: WDDM-02
#[test]
fn a_capability_without_its_slot_is_refused() {
    vary(Variation::default());
    let mut holes = table();
    holes.DxgkDdiConnectDoorbell = None;
    let (dxgkrnl, device) = machine(&holes);
    let adapter = Adapter::add(&dxgkrnl, device, AdapterConfig::default()).unwrap();
    let error = adapter.start().unwrap_err().to_string();
    assert!(
        error.contains("DxgkDdiConnectDoorbell = \"NULL\""),
        "{error}"
    );
}

/// contract: FEA-009
#[test]
fn features_depend_on_each_other() {
    let all = FeatureConfig::default();
    let cases = [
        (all, true, true),
        (
            FeatureConfig {
                hwsch: Setting::Off,
                ..all
            },
            false,
            false,
        ),
        (
            FeatureConfig {
                native_fence: Setting::Off,
                ..all
            },
            false,
            false,
        ),
        (
            FeatureConfig {
                user_mode_submission: Setting::Off,
                ..all
            },
            true,
            false,
        ),
        (
            FeatureConfig {
                user_mode_submission: Setting::ExperimentalDenied,
                ..all
            },
            true,
            false,
        ),
    ];
    for (features, fences, doorbells) in cases {
        let config = AdapterConfig {
            features,
            ..AdapterConfig::default()
        };
        let (dxgkrnl, adapter, result) = start(Variation::default(), config);
        result.unwrap();
        let on = |id| adapter.is_enabled(id);
        assert_eq!(
            on(DXGK_FEATURE_ID::DXGK_FEATURE_NATIVE_FENCE),
            fences,
            "{features:?}"
        );
        assert_eq!(
            on(DXGK_FEATURE_ID::DXGK_FEATURE_USER_MODE_SUBMISSION),
            doorbells,
            "{features:?}"
        );
        assert_eq!(
            adapter.caps().unwrap().user_mode_submission.is_some(),
            doorbells
        );
        adapter.remove().unwrap();
        assert_eq!(violations(&dxgkrnl), [""; 0]);
    }
}

/// contract: CAP-011
/// regression: FEN-10
#[test]
fn native_fences_are_refused_while_the_feature_is_off() {
    let variation = Variation {
        caps: |caps| caps.SchedulingCaps.set_NativeGpuFence(true),
        ..Variation::default()
    };
    let features = FeatureConfig {
        native_fence: Setting::Off,
        ..FeatureConfig::default()
    };
    let config = AdapterConfig {
        features,
        ..AdapterConfig::default()
    };
    let (_dxgkrnl, _adapter, result) = start(variation, config);
    let error = result.unwrap_err().to_string();
    assert!(error.contains("DXGK_VIDSCHCAPS.NativeGpuFence"), "{error}");
}

/// regression: WDDM-09
#[test]
fn statuses_that_no_page_permits_are_violations() {
    let variation = Variation {
        unknown_query: NTSTATUS::STATUS_UNSUCCESSFUL,
        ..Variation::default()
    };
    let (dxgkrnl, adapter, result) = start(variation, AdapterConfig::default());
    result.unwrap();
    adapter.remove().unwrap();
    let found = violations(&dxgkrnl);
    let wanted = "DxgkDdiQueryAdapterInfo returned STATUS_UNSUCCESSFUL";
    assert!(found.iter().any(|what| what.contains(wanted)), "{found:?}");
}

#[test]
fn a_failed_start_leaves_the_adapter_removable() {
    let status = NTSTATUS::STATUS_DEVICE_CONFIGURATION_ERROR;
    let variation = Variation {
        start: status,
        ..Variation::default()
    };
    let (dxgkrnl, adapter, result) = start(variation, AdapterConfig::default());
    assert!(
        matches!(
            result,
            Err(StartError::Ddi {
                step: "DxgkDdiStartDevice",
                ..
            })
        ),
        "{result:?}"
    );
    assert_eq!(adapter.state(), State::Added);
    adapter.remove().unwrap();
    dxgkrnl.unload().unwrap();
    assert_eq!(violations(&dxgkrnl), [""; 0]);
}

#[test]
fn a_mapping_that_outlives_the_stop_is_a_leak() {
    let variation = Variation {
        keep_mapping: true,
        ..Variation::default()
    };
    let (dxgkrnl, adapter, result) = start(variation, AdapterConfig::default());
    result.unwrap();
    adapter.remove().unwrap();
    dxgkrnl.unload().unwrap();
    let found = violations(&dxgkrnl);
    assert!(
        found.iter().any(|what| what.contains("mapping of")),
        "{found:?}"
    );
}

struct Sink(parking_lot::Mutex<mpsc::Sender<Notification>>);

impl Notifications for Sink {
    fn at_dpc(&self, notification: Notification) {
        self.0.lock().send(notification).unwrap();
    }
}

fn interrupted(on_interrupt: fn(&Miniport)) -> (Vec<Notification>, Vec<String>) {
    let variation = Variation {
        on_interrupt,
        ..Variation::default()
    };
    let (dxgkrnl, adapter, result) = start(variation, AdapterConfig::default());
    result.unwrap();
    let (sender, receiver) = mpsc::channel();
    adapter.set_notifications(Arc::new(Sink(parking_lot::Mutex::new(sender))));
    adapter.device().line().raise();
    let first = receiver.recv_timeout(Duration::from_secs(10));
    assert!(
        adapter.deliver_interrupt(),
        "a spurious interrupt is delivered too"
    );
    let second = receiver.recv_timeout(Duration::from_secs(10));
    adapter.remove().unwrap();
    assert_eq!(adapter.interrupt_counts().interrupts, 2);
    (
        first.into_iter().chain(second).collect(),
        violations(&dxgkrnl),
    )
}

#[test]
fn a_report_travels_from_the_interrupt_through_the_dpc() {
    let (reports, found) = interrupted(Miniport::report);
    assert_eq!(reports.len(), 2);
    assert!(matches!(
        reports[0],
        Notification::EngineStateChange {
            state: DXGK_ENGINE_STATE(1),
            ..
        }
    ));
    assert_eq!(found, [""; 0]);
}

/// contract: INT-002, INT-011
#[test]
fn reports_are_held_to_their_form() {
    let (_, found) = interrupted(|miniport| {
        miniport.notify(
            DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_GPU_ENGINE_STATE_CHANGE,
            1,
        );
        miniport.queue_dpc();
    });
    assert!(
        found.iter().any(|what| what.contains("is not zero")),
        "{found:?}"
    );
    let (_, found) = interrupted(|miniport| {
        miniport.report();
        miniport.notify(DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_CRTC_VSYNC, 0);
        miniport.read_configuration();
        miniport.queue_dpc();
    });
    assert!(
        found.iter().any(|what| what.contains("InterruptType 3")),
        "{found:?}"
    );
    let level = "DxgkCbReadDeviceSpace called at DIRQL 5";
    assert!(found.iter().any(|what| what.contains(level)), "{found:?}");
}

/// contract: INT-003
#[test]
fn an_interrupt_routine_that_reports_queues_a_dpc() {
    vary(Variation {
        on_interrupt: |miniport| {
            miniport.notify(
                DXGK_INTERRUPT_TYPE::DXGK_INTERRUPT_GPU_ENGINE_STATE_CHANGE,
                0,
            );
        },
        ..Variation::default()
    });
    let (dxgkrnl, device) = machine(&table());
    let adapter = Adapter::add(&dxgkrnl, device, AdapterConfig::default()).unwrap();
    adapter.start().unwrap();
    adapter.deliver_interrupt();
    adapter.remove().unwrap();
    let found = violations(&dxgkrnl);
    assert!(
        found
            .iter()
            .any(|what| what.contains("without DxgkCbQueueDpc")),
        "{found:?}"
    );
}
