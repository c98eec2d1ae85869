#pragma once

#include <string>

namespace datachange {

/// What an error of the target means for the batch in hand.
enum class ErrorClass {
    serialization,  ///< 40001: another session wrote the same rows; read again, keys locked first
    transient,      ///< a deadlock, a lock or a connection that could not be had in time: try again
    connection,     ///< the session is gone: connect again, then try again
    too_long,       ///< the statement took too long or was cancelled: a smaller batch may do
    data,           ///< some row cannot be changed: find it
    other,          ///< trying again would not help
};

/// @param sqlstate of a DatabaseError: a SQLSTATE, or SQLite's (extended) result code by name; "" is other.
///
/// PostgreSQL has no code of its own for a lost connection to a third server (dblink): class 08 is
/// `connection` although this session lives. Target::lost() tells the two apart.
ErrorClass classify(const std::string& sqlstate);

/// A row with this key is there already.
bool is_duplicate_key(const std::string& sqlstate);

}  // namespace datachange
