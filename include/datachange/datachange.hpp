#pragma once

/// The library under the `datachange` tool: run an audited data migration from C++.
#include <datachange/error.hpp>
#include <datachange/run.hpp>
#include <datachange/undo.hpp>
#include <datachange/version.hpp>
