# Run by cpack on what it has installed: what Debian wants elsewhere, or compressed.
set(share ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share)
set(doc ${share}/doc/datachange)
file(MAKE_DIRECTORY ${share}/zsh)
file(RENAME ${share}/zsh/site-functions ${share}/zsh/vendor-completions)
file(REMOVE ${doc}/LICENSE)  # its text is in debian/copyright
file(COPY ${CPACK_DATACHANGE_DEBIAN}/copyright ${CPACK_DATACHANGE_DEBIAN}/changelog DESTINATION ${doc})
file(GLOB pages ${share}/man/*/*)
execute_process(COMMAND gzip --best --no-name --force ${pages} ${doc}/changelog COMMAND_ERROR_IS_FATAL ANY)
file(GLOB_RECURSE files ${share}/*)
file(CHMOD ${files} PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
