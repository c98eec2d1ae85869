#pragma once

#include "record/ledger/ledger.hpp"

namespace datachange {

/// Makes a ledger of version 2 one of version 3, in the open transaction: its rows are put together to
/// blocks. Nothing in it is lost or altered, and each row keeps its number.
/// @throws SQLite::Exception
void upgrade_from_2(Ledger& ledger);

}  // namespace datachange
