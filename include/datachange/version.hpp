#pragma once

namespace datachange {

/// The version of the tool and of the library, as in `datachange --version`.
const char* version() noexcept;

}  // namespace datachange
