#pragma once

/// Catch2 2; the one place that differs for Catch2 3, whose header is <catch2/catch_all.hpp>.
#include <catch2/catch.hpp>
