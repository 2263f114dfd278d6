remote="${CI_SERVER_URL%%//*}//roomform:$ROOMFORM_TOKEN@${CI_SERVER_URL#*//}/$CI_PROJECT_PATH.git"
@@save
