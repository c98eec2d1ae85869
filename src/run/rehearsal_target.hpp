#pragma once

#include <memory>

#include "target/target.hpp"

namespace datachange {

/// A target whose commits do nothing: everything between construction and destruction is one transaction,
/// which is rolled back. A dry run so sees in each batch and step what the ones before it did, and leaves
/// nothing behind.
///
/// A rollback ends the rehearsal for good: later statements would not see what came before.
std::unique_ptr<Target> rehearse(Target& target);

}  // namespace datachange
