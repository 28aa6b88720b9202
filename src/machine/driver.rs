//! The driver of NVIDIA GPUs, loaded from its library while the program runs.

use nvml_wrapper::Nvml;
use nvml_wrapper::enum_wrappers::device::TemperatureSensor;

use super::Gpu;

/// The opened driver.
pub(super) struct Driver(Nvml);

impl Driver {
    /// Opens the driver. Without its library there is no usable NVIDIA GPU, and in a program that is linked statically
    /// there is no safe way to load it.
    pub(super) fn open() -> Option<Self> {
        if cfg!(target_feature = "crt-static") {
            return None;
        }
        Nvml::init().ok().map(Self)
    }

    /// Reads all GPUs.
    pub(super) fn gpus(&self) -> Vec<Gpu> {
        let count = self.0.device_count().unwrap_or(0);
        let devices = (0..count).filter_map(|index| self.0.device_by_index(index).ok());
        devices
            .map(|device| Gpu {
                name: device.name().unwrap_or_default(),
                busy_percent: device.utilization_rates().ok().map(|rates| rates.gpu),
                memory_bytes: device.memory_info().ok().map(|memory| (memory.used, memory.total)),
                temperature_celsius: device.temperature(TemperatureSensor::Gpu).ok(),
                power_watts: device
                    .power_usage()
                    .ok()
                    .map(|milliwatts| f64::from(milliwatts) / 1_000.0),
            })
            .collect()
    }
}
