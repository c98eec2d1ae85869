# Read by cpack before anything else: what was built for tests is not given to anybody.
if(CPACK_DATACHANGE_UNFIT)
    message(FATAL_ERROR "no package of a build with ${CPACK_DATACHANGE_UNFIT}: configure one without")
endif()
