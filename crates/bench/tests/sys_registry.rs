//! Values in the adapter's software key, by the linked driver.
//!
//! The file is named by `CARILLON_SYS`.

mod sys_scene;
mod sys_support;

use std::collections::BTreeSet;

use carillon_bench::dxgk::adapter::resources::SOFTWARE_KEY;
use carillon_bench::nt::Nt;
use carillon_hw::regs::DoorbellModel;
use sys_scene::{Actor, MODELS, config};
use sys_support::{boot_with, finish};

/// Fewer doorbells than the device has: the limit is what there is, and victims appear.
///
/// contract: DBN-008
#[test]
fn the_registry_limits_doorbells() {
    const PAGES: u32 = 16;
    let limit = |nt: &Nt| nt.keys.set_dword(SOFTWARE_KEY, "DoorbellLimit", 2);
    let (nt, machine) = boot_with(&config(DoorbellModel::Dedicated, PAGES), limit);
    let mut actors: Vec<Actor> = (0..5).map(|node| Actor::new(&machine, node % 2)).collect();
    let mut pages = BTreeSet::new();
    for _ in 0..5 {
        for actor in &mut actors {
            actor.work(3);
            pages.extend(actor.doorbell().shows());
            let shown = machine.manager().pages_shown();
            assert!(shown <= 2, "{shown} pages at a time");
        }
    }
    assert!(machine.manager().stats().disconnect_callbacks > 10);
    assert_eq!(pages.len(), 2);
    for actor in actors {
        actor.end();
    }
    finish(&nt, machine);
}

/// Limits that make no sense are survived: every queue still gets to work.
#[test]
fn senseless_limits_are_survived() {
    type Set = fn(&Nt);
    const NAME: &str = "DoorbellLimit";
    let limits: [Set; 6] = [
        |nt| nt.keys.set_dword(SOFTWARE_KEY, NAME, 0),
        |nt| nt.keys.set_dword(SOFTWARE_KEY, NAME, 17),
        |nt| nt.keys.set_dword(SOFTWARE_KEY, NAME, u32::MAX),
        |nt| nt.keys.set_string(SOFTWARE_KEY, NAME, "2"),
        |nt| nt.keys.set(SOFTWARE_KEY, NAME, 4, &[]),
        |nt| nt.keys.set(SOFTWARE_KEY, NAME, 4, &[2; 64]),
    ];
    for model in MODELS {
        for set in limits {
            let (nt, machine) = boot_with(&config(model, 16), set);
            let mut actors: Vec<Actor> = (0..3).map(|_| Actor::new(&machine, 0)).collect();
            for actor in &mut actors {
                actor.work(3);
            }
            for actor in actors {
                actor.end();
            }
            finish(&nt, machine);
        }
    }
}
