//! The behaviour of the simulators.
