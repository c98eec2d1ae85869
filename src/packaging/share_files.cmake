# Run by the installation: the tool writes its own manual and completions.
#   installed_program, program_source, share_folder   are set before it
if("$ENV{SOURCE_DATE_EPOCH}" STREQUAL "")
    # the date in the manual is the source's, so that two builds of it are equal; without git it is today's
    execute_process(COMMAND git -C "${program_source}" log -1 --format=%ct
                    OUTPUT_VARIABLE committed OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed ERROR_QUIET)
    if(NOT failed)
        set(ENV{SOURCE_DATE_EPOCH} ${committed})
    endif()
endif()
message(STATUS "Manual and completions: ${share_folder}")
execute_process(COMMAND "${installed_program}" share-files "${share_folder}" COMMAND_ERROR_IS_FATAL ANY)
