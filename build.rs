//! Build script of the driver: hands the linker the arguments of a WDM driver.

fn main() -> Result<(), wdk_build::ConfigError> {
    wdk_build::configure_wdk_binary_build()
}
