/* postconf_names.c -- every parameter of Postfix 3.9 (and those of 3.10) that
 * is not mapped to an option, by what becomes of it and why.
 *
 * docs/POSTFIX.md is written from this table. */
#include "core/config/postconf_names.h"

#include "core/base/check.h"

/* A table reads best as a table. */
/* clang-format off */
static const struct postconf_group groups[] = {
    {POSTCONF_REFUSED, "mail is sent as it came, or not at all: nothing looks into it",
	"config.sender_restrictions",
	"body_checks content_filter default_delivery_status_filter "
	"default_filter_nexthop header_checks message_drop_headers "
	"message_reject_characters message_strip_characters "
	"milter_header_checks mime_header_checks nested_header_checks "
	"receive_override_options smtp_body_checks "
	"smtp_delivery_status_filter smtp_dns_reply_filter "
	"smtp_header_checks smtp_mime_header_checks "
	"smtp_nested_header_checks smtp_reply_filter smtpd_command_filter "
	"smtpd_dns_reply_filter smtpd_milter_maps "
	"smtpd_policy_service_default_action smtpd_proxy_filter "},
    {POSTCONF_REFUSED, "addresses are not rewritten",
	NULL,
	"canonical_maps masquerade_domains recipient_canonical_maps "
	"relocated_maps remote_header_rewrite_domain sender_canonical_maps "
	"smtp_generic_maps virtual_alias_domains virtual_alias_maps "
	"virtual_maps "},
    {POSTCONF_REFUSED, "copies are not made",
	NULL,
	"always_bcc recipient_bcc_maps sender_bcc_maps "},
    {POSTCONF_REFUSED, "mail goes to the MX of its domain, or all of it to one next hop",
	"config.relay.host",
	"best_mx_transport default_transport defer_transports "
	"disable_dns_lookups fallback_relay ignore_mx_lookup_error "
	"relay_transport sender_based_routing "
	"sender_dependent_default_transport_maps "
	"sender_dependent_relayhost_maps smtp_bind_address_enforce "
	"smtp_fallback_relay smtp_host_lookup smtp_tcp_port soft_bounce "
	"transport_maps use_srv_lookup "},
    {POSTCONF_REFUSED, "there are no mailboxes and no mail for others here: every domain is relayed",
	NULL,
	"mydestination relay_domains relay_recipient_maps "
	"virtual_mailbox_domains "},
    {POSTCONF_REFUSED, "who may send is said by networks, users and domains",
	"config.allowed_networks, config.auth and config.sender_restrictions",
	"authorized_verp_clients maps_rbl_domains mynetworks_style "
	"qmqpd_authorized_clients relay_clientcerts "
	"smtpd_authorized_verp_clients smtpd_authorized_xclient_hosts "
	"smtpd_authorized_xforward_hosts smtpd_data_restrictions "
	"smtpd_end_of_data_restrictions smtpd_etrn_restrictions "
	"smtpd_forbidden_commands smtpd_helo_restrictions "
	"smtpd_null_access_lookup_key smtpd_reject_unlisted_recipient "
	"smtpd_reject_unlisted_sender smtpd_restriction_classes "
	"smtpd_sasl_exceptions_networks smtpd_sasl_tls_security_options "
	"smtpd_tls_req_ccert "},
    {POSTCONF_REFUSED, "AUTH is checked against config.auth_mechanisms and users",
	"users",
	"smtpd_sasl_mechanism_filter smtpd_sasl_security_options "
	"smtpd_sasl_type "},
    {POSTCONF_REFUSED, "clients are not counted over time",
	"config.client_connection_limit",
	"smtpd_client_auth_rate_limit smtpd_client_connection_rate_limit "
	"smtpd_client_message_rate_limit "
	"smtpd_client_new_tls_session_rate_limit "
	"smtpd_client_recipient_rate_limit "},
    {POSTCONF_REFUSED, "the PROXY protocol has a port of its own",
	"config.listen.proxy",
	"smtpd_upstream_proxy_protocol "},
    {POSTCONF_REFUSED, "TLS from the first byte has a port of its own",
	"config.listen.submissions",
	"smtpd_tls_wrappermode "},
    {POSTCONF_REFUSED, "TLS of deliveries is one level for all, verified with the system's certificates",
	"config.delivery.tls and config.relay.tls",
	"smtp_cname_overrides_servername smtp_tls_CAfile smtp_tls_CApath "
	"smtp_tls_enforce_peername smtp_tls_enforce_sts_mx_patterns "
	"smtp_tls_fingerprint_cert_match smtp_tls_per_site "
	"smtp_tls_policy_maps smtp_tls_secure_cert_match "
	"smtp_tls_servername smtp_tls_trust_anchor_file "
	"smtp_tls_verify_cert_match smtp_tls_wrappermode "
	"tls_append_default_CA "},
    {POSTCONF_REFUSED, "the relay authenticates with a password, not with a certificate",
	"config.relay.username",
	"smtp_tls_cert_file smtp_tls_chain_files smtp_tls_dcert_file "
	"smtp_tls_dkey_file smtp_tls_eccert_file smtp_tls_eckey_file "
	"smtp_tls_key_file "},
    {POSTCONF_REFUSED, "there is one user name and password, for the next hop",
	"config.relay.username and config.relay.password",
	"smtp_sasl_mechanism_filter smtp_sasl_password_result_delimiter "
	"smtp_sasl_type smtp_sender_dependent_authentication "},
    {POSTCONF_REFUSED, "certificates are chosen from those of config.tls by the name asked for",
	"config.tls.crt_file as a list",
	"smtpd_tls_dcert_file smtpd_tls_dkey_file tls_server_sni_maps "},
    {POSTCONF_REFUSED, "delivery reports are the relay's own",
	NULL,
	"bounce_template_file confirm_delay_cleared delay_warning_time "},
    {POSTCONF_REFUSED, "rate and session limits of deliveries are others",
	"config.delivery.connections and config.delivery.messages_per_connection",
	"default_transport_rate_delay smtp_transport_rate_delay "},
    {POSTCONF_HARMLESS, "reports go to senders, and nobody is told of anything else",
	NULL,
	"2bounce_notice_recipient bounce_notice_recipient "
	"default_verp_delimiters delay_notice_recipient "
	"disable_verp_bounces double_bounce_sender error_notice_recipient "
	"notify_classes verp_delimiter_filter "},
    {POSTCONF_HARMLESS, "users are in users, users.d and SH_AUTH",
	NULL,
	"broken_sasl_auth_clients cyrus_sasl_config_path "
	"send_cyrus_sasl_authzid smtp_sasl_auth_cache_name "
	"smtp_sasl_auth_cache_time smtp_sasl_path "
	"smtpd_sasl_application_name smtpd_sasl_local_domain "
	"smtpd_sasl_path smtpd_sasl_response_limit smtpd_sasl_service "},
    {POSTCONF_HARMLESS, "addresses are not rewritten: what comes without a domain goes without",
	NULL,
	"allow_percent_hack append_at_myorigin append_dot_mydomain "
	"empty_address_recipient local_header_rewrite_clients "
	"swap_bangpath "},
    {POSTCONF_HARMLESS, "there are no mailboxes here",
	NULL,
	"alias_database alias_maps allow_mail_to_commands "
	"allow_mail_to_files allow_min_user biff command_directory "
	"command_execution_directory command_expansion_filter "
	"command_time_limit default_database_type default_privs "
	"deliver_lock_attempts deliver_lock_delay "
	"execution_directory_expansion_filter expand_owner_alias "
	"export_environment fallback_transport fallback_transport_maps "
	"forward_expansion_filter forward_path frozen_delivered_to "
	"home_mailbox import_environment local_command_shell "
	"local_delivery_status_filter local_login_sender_maps "
	"local_recipient_maps local_transport luser_relay "
	"mail_spool_directory mailbox_command mailbox_command_maps "
	"mailbox_delivery_lock mailbox_size_limit mailbox_transport "
	"mailbox_transport_maps newaliases_path owner_request_special "
	"pipe_delivery_status_filter prepend_delivered_header "
	"propagate_unmatched_extensions recipient_canonical_classes "
	"recipient_delimiter require_home_directory reset_owner_alias "
	"show_user_unknown_table_name stale_lock_time "
	"strict_mailbox_ownership sun_mailtool_compatibility "
	"unknown_local_recipient_reject_code "
	"unknown_relay_recipient_reject_code "
	"unknown_virtual_alias_reject_code "
	"unknown_virtual_mailbox_reject_code "
	"virtual_alias_address_length_limit virtual_alias_expansion_limit "
	"virtual_alias_recursion_limit virtual_delivery_status_filter "
	"virtual_gid_maps virtual_mailbox_base virtual_mailbox_limit "
	"virtual_mailbox_lock virtual_mailbox_maps virtual_minimum_uid "
	"virtual_transport virtual_uid_maps "},
    {POSTCONF_HARMLESS, "LMTP is not spoken here",
	NULL,
	"lmtp_address_preference lmtp_address_verify_target "
	"lmtp_assume_final lmtp_balance_inet_protocols lmtp_bind_address "
	"lmtp_bind_address6 lmtp_bind_address_enforce lmtp_body_checks "
	"lmtp_cache_connection lmtp_cname_overrides_servername "
	"lmtp_connect_timeout lmtp_connection_cache_destinations "
	"lmtp_connection_cache_on_demand lmtp_connection_cache_time_limit "
	"lmtp_connection_reuse_count_limit "
	"lmtp_connection_reuse_time_limit lmtp_data_done_timeout "
	"lmtp_data_init_timeout lmtp_data_xfer_timeout "
	"lmtp_defer_if_no_mx_address_found lmtp_delivery_status_filter "
	"lmtp_discard_lhlo_keyword_address_maps lmtp_discard_lhlo_keywords "
	"lmtp_dns_reply_filter lmtp_dns_resolver_options "
	"lmtp_dns_support_level lmtp_enforce_tls lmtp_fallback_relay "
	"lmtp_generic_maps lmtp_header_checks lmtp_host_lookup "
	"lmtp_lhlo_name lmtp_lhlo_timeout lmtp_line_length_limit "
	"lmtp_mail_timeout lmtp_mime_header_checks lmtp_min_data_rate "
	"lmtp_mx_address_limit lmtp_mx_session_limit "
	"lmtp_nested_header_checks lmtp_per_record_deadline "
	"lmtp_per_request_deadline lmtp_pix_workaround_delay_time "
	"lmtp_pix_workaround_maps lmtp_pix_workaround_threshold_time "
	"lmtp_pix_workarounds lmtp_quit_timeout lmtp_quote_rfc821_envelope "
	"lmtp_randomize_addresses lmtp_rcpt_timeout lmtp_reply_filter "
	"lmtp_rset_timeout lmtp_sasl_auth_cache_name "
	"lmtp_sasl_auth_cache_time lmtp_sasl_auth_enable "
	"lmtp_sasl_auth_soft_bounce lmtp_sasl_mechanism_filter "
	"lmtp_sasl_password_maps lmtp_sasl_password_result_delimiter "
	"lmtp_sasl_path lmtp_sasl_security_options "
	"lmtp_sasl_tls_security_options "
	"lmtp_sasl_tls_verified_security_options lmtp_sasl_type "
	"lmtp_send_dummy_mail_auth lmtp_send_xforward_command "
	"lmtp_sender_dependent_authentication lmtp_skip_5xx_greeting "
	"lmtp_skip_quit_response lmtp_starttls_timeout lmtp_tcp_port "
	"lmtp_tls_CAfile lmtp_tls_CApath lmtp_tls_block_early_mail_reply "
	"lmtp_tls_cert_file lmtp_tls_chain_files lmtp_tls_ciphers "
	"lmtp_tls_connection_reuse lmtp_tls_dcert_file lmtp_tls_dkey_file "
	"lmtp_tls_eccert_file lmtp_tls_eckey_file lmtp_tls_enable_rpk "
	"lmtp_tls_enforce_peername lmtp_tls_exclude_ciphers "
	"lmtp_tls_fingerprint_cert_match lmtp_tls_fingerprint_digest "
	"lmtp_tls_force_insecure_host_tlsa_lookup lmtp_tls_key_file "
	"lmtp_tls_loglevel lmtp_tls_mandatory_ciphers "
	"lmtp_tls_mandatory_exclude_ciphers lmtp_tls_mandatory_protocols "
	"lmtp_tls_note_starttls_offer lmtp_tls_per_site "
	"lmtp_tls_policy_maps lmtp_tls_protocols "
	"lmtp_tls_scert_verifydepth lmtp_tls_secure_cert_match "
	"lmtp_tls_security_level lmtp_tls_servername "
	"lmtp_tls_session_cache_database lmtp_tls_session_cache_timeout "
	"lmtp_tls_trust_anchor_file lmtp_tls_verify_cert_match "
	"lmtp_tls_wrappermode lmtp_use_tls lmtp_xforward_timeout "},
    {POSTCONF_HARMLESS, "there is no postscreen here",
	NULL,
	"dnsblog_reply_delay dnsblog_service_name postscreen_access_list "
	"postscreen_allowlist_interfaces postscreen_bare_newline_action "
	"postscreen_bare_newline_enable postscreen_bare_newline_ttl "
	"postscreen_blacklist_action postscreen_cache_cleanup_interval "
	"postscreen_cache_map postscreen_cache_retention_time "
	"postscreen_client_connection_count_limit "
	"postscreen_command_count_limit postscreen_command_filter "
	"postscreen_command_time_limit postscreen_denylist_action "
	"postscreen_disable_vrfy_command "
	"postscreen_discard_ehlo_keyword_address_maps "
	"postscreen_discard_ehlo_keywords postscreen_dnsbl_action "
	"postscreen_dnsbl_allowlist_threshold postscreen_dnsbl_max_ttl "
	"postscreen_dnsbl_min_ttl postscreen_dnsbl_reply_map "
	"postscreen_dnsbl_sites postscreen_dnsbl_threshold "
	"postscreen_dnsbl_timeout postscreen_dnsbl_ttl "
	"postscreen_dnsbl_whitelist_threshold postscreen_enforce_tls "
	"postscreen_expansion_filter postscreen_forbidden_commands "
	"postscreen_greet_action postscreen_greet_banner "
	"postscreen_greet_ttl postscreen_greet_wait "
	"postscreen_helo_required postscreen_non_smtp_command_action "
	"postscreen_non_smtp_command_enable "
	"postscreen_non_smtp_command_ttl postscreen_pipelining_action "
	"postscreen_pipelining_enable postscreen_pipelining_ttl "
	"postscreen_post_queue_limit postscreen_pre_queue_limit "
	"postscreen_reject_footer postscreen_reject_footer_maps "
	"postscreen_tls_security_level postscreen_upstream_proxy_protocol "
	"postscreen_upstream_proxy_timeout postscreen_use_tls "
	"postscreen_watchdog_timeout postscreen_whitelist_interfaces "},
    {POSTCONF_HARMLESS, "there is no QMQP here",
	NULL,
	"qmqpd_client_port_logging qmqpd_error_delay qmqpd_timeout "},
    {POSTCONF_HARMLESS, "addresses are not probed before mail is taken",
	NULL,
	"address_verify_cache_cleanup_interval "
	"address_verify_default_transport address_verify_local_transport "
	"address_verify_map address_verify_negative_cache "
	"address_verify_negative_expire_time "
	"address_verify_negative_refresh_time "
	"address_verify_pending_request_limit address_verify_poll_count "
	"address_verify_poll_delay address_verify_positive_expire_time "
	"address_verify_positive_refresh_time "
	"address_verify_relay_transport address_verify_relayhost "
	"address_verify_sender "
	"address_verify_sender_dependent_default_transport_maps "
	"address_verify_sender_dependent_relayhost_maps "
	"address_verify_sender_ttl address_verify_service_name "
	"address_verify_transport_maps address_verify_virtual_transport "
	"unverified_recipient_defer_code unverified_recipient_reject_code "
	"unverified_recipient_reject_reason "
	"unverified_recipient_tempfail_action unverified_sender_defer_code "
	"unverified_sender_reject_code unverified_sender_reject_reason "
	"unverified_sender_tempfail_action "},
    {POSTCONF_HARMLESS, "there is no such restriction whose reply it could be",
	NULL,
	"access_map_defer_code access_map_reject_code default_rbl_reply "
	"defer_code fault_injection_code invalid_hostname_reject_code "
	"maps_rbl_reject_code multi_recipient_bounce_reject_code "
	"non_fqdn_reject_code parent_domain_matches_subdomains "
	"plaintext_reject_code rbl_reply_maps reject_code "
	"reject_tempfail_action relay_domains_reject_code "
	"smtpd_expansion_filter smtpd_forbid_bare_newline_reject_code "
	"smtpd_log_access_permit_actions smtpd_policy_service_max_idle "
	"smtpd_policy_service_max_ttl smtpd_policy_service_policy_context "
	"smtpd_policy_service_request_limit "
	"smtpd_policy_service_retry_delay smtpd_policy_service_timeout "
	"smtpd_policy_service_try_limit smtpd_reject_footer "
	"smtpd_reject_footer_maps "
	"smtpd_relay_before_recipient_restrictions "
	"unknown_address_reject_code unknown_address_tempfail_action "
	"unknown_client_reject_code unknown_helo_hostname_tempfail_action "
	"unknown_hostname_reject_code "},
    {POSTCONF_HARMLESS, "there is no proxy filter behind the server",
	NULL,
	"smtpd_proxy_ehlo smtpd_proxy_options smtpd_proxy_timeout "
	"smtpd_upstream_proxy_timeout "},
    {POSTCONF_HARMLESS, "there is no milter but the signer, which is part of the relay",
	NULL,
	"internal_mail_filter_classes milter_command_timeout "
	"milter_connect_macros milter_connect_timeout "
	"milter_content_timeout milter_data_macros milter_default_action "
	"milter_end_of_data_macros milter_end_of_header_macros "
	"milter_helo_macros milter_macro_daemon_name milter_macro_defaults "
	"milter_macro_v milter_mail_macros milter_protocol "
	"milter_rcpt_macros milter_unknown_command_macros "},
    {POSTCONF_HARMLESS, "TLS 1.2 and 1.3 with good ciphers are what there is",
	NULL,
	"openssl_path smtp_tls_block_early_mail_reply smtp_tls_cipherlist "
	"smtp_tls_ciphers smtp_tls_dane_insecure_mx_policy "
	"smtp_tls_enable_rpk smtp_tls_exclude_ciphers "
	"smtp_tls_fingerprint_digest "
	"smtp_tls_force_insecure_host_tlsa_lookup "
	"smtp_tls_mandatory_ciphers smtp_tls_mandatory_exclude_ciphers "
	"smtp_tls_mandatory_protocols smtp_tls_protocols "
	"smtp_tls_scert_verifydepth smtpd_tls_cipherlist smtpd_tls_ciphers "
	"smtpd_tls_dh1024_param_file smtpd_tls_dh512_param_file "
	"smtpd_tls_eecdh_grade smtpd_tls_exclude_ciphers "
	"smtpd_tls_mandatory_ciphers smtpd_tls_mandatory_exclude_ciphers "
	"smtpd_tls_mandatory_protocols smtpd_tls_protocols tls_config_file "
	"tls_config_name tls_dane_digest_agility tls_dane_digests "
	"tls_dane_trust_anchor_digest_enable tls_disable_workarounds "
	"tls_eecdh_auto_curves tls_eecdh_strong_curve "
	"tls_eecdh_ultra_curve tls_export_cipherlist tls_ffdhe_auto_groups "
	"tls_high_cipherlist tls_legacy_public_key_fingerprints "
	"tls_low_cipherlist tls_medium_cipherlist tls_null_cipherlist "
	"tls_preempt_cipherlist tls_required_enable "
	"tls_session_ticket_cipher tls_ssl_options "
	"tls_wildcard_matches_multiple_labels tlsproxy_tls_ciphers "
	"tlsproxy_tls_dh1024_param_file tlsproxy_tls_dh512_param_file "
	"tlsproxy_tls_eecdh_grade tlsproxy_tls_exclude_ciphers "
	"tlsproxy_tls_mandatory_ciphers "
	"tlsproxy_tls_mandatory_exclude_ciphers "
	"tlsproxy_tls_mandatory_protocols tlsproxy_tls_protocols "},
    {POSTCONF_HARMLESS, "random numbers, sessions and tickets of TLS look after themselves",
	NULL,
	"smtp_starttls_timeout smtp_tls_connection_reuse smtp_tls_loglevel "
	"smtp_tls_note_starttls_offer smtp_tls_session_cache_database "
	"smtp_tls_session_cache_timeout smtp_tlsrpt_enable "
	"smtp_tlsrpt_skip_reused_handshakes smtp_tlsrpt_socket_name "
	"smtpd_starttls_timeout smtpd_tls_CAfile smtpd_tls_CApath "
	"smtpd_tls_always_issue_session_ids smtpd_tls_ask_ccert "
	"smtpd_tls_ccert_verifydepth smtpd_tls_enable_rpk "
	"smtpd_tls_fingerprint_digest smtpd_tls_loglevel "
	"smtpd_tls_received_header smtpd_tls_session_cache_database "
	"smtpd_tls_session_cache_timeout tls_daemon_random_bytes "
	"tls_fast_shutdown_enable tls_random_bytes "
	"tls_random_exchange_name tls_random_prng_update_period "
	"tls_random_reseed_period tls_random_source tlsmgr_service_name "
	"tlsproxy_client_CAfile tlsproxy_client_CApath "
	"tlsproxy_client_cert_file tlsproxy_client_chain_files "
	"tlsproxy_client_dcert_file tlsproxy_client_dkey_file "
	"tlsproxy_client_eccert_file tlsproxy_client_eckey_file "
	"tlsproxy_client_enforce_tls tlsproxy_client_fingerprint_digest "
	"tlsproxy_client_key_file tlsproxy_client_level "
	"tlsproxy_client_loglevel tlsproxy_client_loglevel_parameter "
	"tlsproxy_client_per_site tlsproxy_client_policy "
	"tlsproxy_client_policy_maps tlsproxy_client_scert_verifydepth "
	"tlsproxy_client_security_level tlsproxy_client_use_tls "
	"tlsproxy_enforce_tls tlsproxy_service_name tlsproxy_tls_CAfile "
	"tlsproxy_tls_CApath tlsproxy_tls_always_issue_session_ids "
	"tlsproxy_tls_ask_ccert tlsproxy_tls_ccert_verifydepth "
	"tlsproxy_tls_cert_file tlsproxy_tls_chain_files "
	"tlsproxy_tls_dcert_file tlsproxy_tls_dkey_file "
	"tlsproxy_tls_eccert_file tlsproxy_tls_eckey_file "
	"tlsproxy_tls_enable_rpk tlsproxy_tls_fingerprint_digest "
	"tlsproxy_tls_key_file tlsproxy_tls_loglevel "
	"tlsproxy_tls_req_ccert tlsproxy_tls_security_level "
	"tlsproxy_tls_session_cache_timeout tlsproxy_use_tls "
	"tlsproxy_watchdog_timeout "},
    {POSTCONF_HARMLESS, "files and programs of Postfix's installation are not here",
	NULL,
	"alternate_config_directories "
	"backwards_bounce_logfile_compatibility "
	"berkeley_db_create_buffer_size berkeley_db_read_buffer_size "
	"compatibility_level config_directory daemon_directory "
	"daemon_table_open_error_is_fatal data_directory helpful_warnings "
	"html_directory lmdb_map_size mail_name mail_owner "
	"mail_release_date mail_version mailq_path manpage_directory "
	"meta_directory multi_instance_directories multi_instance_enable "
	"multi_instance_group multi_instance_name multi_instance_wrapper "
	"postmulti_control_commands postmulti_start_commands "
	"postmulti_stop_commands process_id_directory proxy_read_maps "
	"proxy_write_maps queue_directory readme_directory "
	"sample_directory sendmail_fix_line_endings sendmail_path "
	"setgid_group shlib_directory socketmap_max_reply_size "},
    {POSTCONF_HARMLESS, "there are no services of master(8) here",
	NULL,
	"anvil_rate_time_unit anvil_status_update_time "
	"application_event_drain_time authorized_flush_users "
	"authorized_mailq_users authorized_submit_users "
	"bounce_service_name cleanup_service_name "
	"connection_cache_protocol_timeout connection_cache_service_name "
	"connection_cache_status_update_time connection_cache_ttl_limit "
	"daemon_timeout debugger_command default_process_limit "
	"defer_service_name dont_remove error_service_name "
	"flush_service_name fork_attempts fork_delay ipc_idle ipc_timeout "
	"ipc_ttl master_service_disable max_idle max_use "
	"pickup_service_name postlog_service_name "
	"postlogd_watchdog_timeout process_id process_name "
	"proxymap_service_name proxywrite_service_name queue_service_name "
	"rewrite_service_name service_name service_throttle_time "
	"showq_service_name smtpd_service_name stress trace_service_name "
	"trigger_timeout "},
    {POSTCONF_HARMLESS, "the queue is the relay's own log, in config.spool",
	NULL,
	"bounce_size_limit default_delivery_slot_cost "
	"default_delivery_slot_discount default_delivery_slot_loan "
	"default_destination_concurrency_failed_cohort_limit "
	"default_destination_concurrency_negative_feedback "
	"default_destination_concurrency_positive_feedback "
	"default_destination_recipient_limit default_extra_recipient_limit "
	"default_minimum_delivery_slots default_recipient_limit "
	"default_recipient_refill_delay default_recipient_refill_limit "
	"destination_concurrency_feedback_debug duplicate_filter_limit "
	"enable_long_queue_ids extract_recipient_limit fast_flush_domains "
	"fast_flush_purge_time fast_flush_refresh_time hash_queue_depth "
	"hash_queue_names hopcount_limit in_flow_delay "
	"initial_destination_concurrency qmgr_clog_warn_time "
	"qmgr_daemon_timeout qmgr_fudge_factor qmgr_ipc_timeout "
	"qmgr_message_active_limit qmgr_message_recipient_limit "
	"qmgr_message_recipient_minimum queue_file_attribute_count_limit "
	"queue_minfree queue_run_delay smtp_delivery_slot_cost "
	"smtp_delivery_slot_discount smtp_delivery_slot_loan "
	"smtp_destination_concurrency_failed_cohort_limit "
	"smtp_destination_concurrency_negative_feedback "
	"smtp_destination_concurrency_positive_feedback "
	"smtp_destination_recipient_limit smtp_extra_recipient_limit "
	"smtp_initial_destination_concurrency smtp_minimum_delivery_slots "
	"smtp_recipient_limit smtp_recipient_refill_delay "
	"smtp_recipient_refill_limit transport_retry_time "},
    {POSTCONF_HARMLESS, "the log has what it has: config.log",
	NULL,
	"debug_peer_level debug_peer_list delay_logging_resolution_limit "
	"info_log_address_format maillog_file_compressor "
	"maillog_file_permissions maillog_file_prefixes "
	"maillog_file_rotate_suffix respectful_logging "
	"smtpd_client_port_logging smtpd_history_flush_threshold "
	"syslog_facility syslog_name "},
    {POSTCONF_HARMLESS, "a message is stored and sent byte for byte",
	NULL,
	"allow_untrusted_routing body_checks_size_limit canonical_classes "
	"cleanup_replace_stray_cr_lf detect_8bit_encoding_header "
	"disable_mime_input_processing disable_mime_output_conversion "
	"empty_address_default_transport_maps_lookup_key "
	"empty_address_local_login_sender_maps_lookup_key "
	"empty_address_relayhost_maps_lookup_key enable_errors_to "
	"enable_idna2003_compatibility enable_original_recipient "
	"enable_threaded_bounces force_mime_input_conversion "
	"full_name_encoding_charset header_address_token_limit "
	"header_from_format header_size_limit line_length_limit "
	"masquerade_classes masquerade_exceptions "
	"mime_boundary_length_limit mime_nesting_limit "
	"resolve_dequoted_address resolve_null_domain "
	"resolve_numeric_domain sender_canonical_classes "
	"smtp_line_length_limit smtp_pix_workaround_delay_time "
	"smtp_pix_workaround_maps smtp_pix_workaround_threshold_time "
	"smtp_pix_workarounds smtp_quote_rfc821_envelope "
	"smtputf8_autodetect_classes smtputf8_enable strict_7bit_headers "
	"strict_8bitmime strict_8bitmime_body strict_mime_encoding_domain "
	"strict_rfc821_envelopes strict_smtputf8 "
	"undisclosed_recipients_header "},
    {POSTCONF_HARMLESS, "the server is as strict as RFC 5321 wants it, and its limits are the relay's",
	NULL,
	"disable_vrfy_command smtpd_banner "
	"smtpd_client_event_limit_exceptions "
	"smtpd_client_ipv4_prefix_length smtpd_client_ipv6_prefix_length "
	"smtpd_delay_open_until_valid_rcpt smtpd_delay_reject "
	"smtpd_discard_ehlo_keyword_address_maps "
	"smtpd_discard_ehlo_keywords smtpd_error_sleep_time "
	"smtpd_forbid_bare_newline smtpd_forbid_bare_newline_exclusions "
	"smtpd_forbid_unauth_pipelining smtpd_hard_error_limit "
	"smtpd_helo_required smtpd_hide_client_session "
	"smtpd_junk_command_limit smtpd_min_data_rate smtpd_noop_commands "
	"smtpd_peername_lookup smtpd_per_record_deadline "
	"smtpd_per_request_deadline smtpd_recipient_overshoot_limit "
	"smtpd_sasl_authenticated_header smtpd_soft_error_limit "},
    {POSTCONF_HARMLESS, "deliveries follow RFC 5321; their limits are config.delivery and config.timeout",
	NULL,
	"allow_srv_lookup_fallback dns_ncache_ttl_fix_enable dnssec_probe "
	"ignore_srv_lookup_error known_tcp_ports permit_mx_backup_networks "
	"proxy_interfaces smtp_address_preference "
	"smtp_address_verify_target smtp_always_send_ehlo "
	"smtp_balance_inet_protocols smtp_connection_cache_destinations "
	"smtp_connection_cache_on_demand smtp_connection_cache_time_limit "
	"smtp_connection_reuse_count_limit "
	"smtp_connection_reuse_time_limit "
	"smtp_defer_if_no_mx_address_found "
	"smtp_discard_ehlo_keyword_address_maps smtp_discard_ehlo_keywords "
	"smtp_dns_resolver_options smtp_dns_support_level "
	"smtp_min_data_rate smtp_mx_address_limit smtp_mx_session_limit "
	"smtp_never_send_ehlo smtp_per_record_deadline "
	"smtp_per_request_deadline smtp_quit_timeout "
	"smtp_randomize_addresses smtp_rset_timeout "
	"smtp_sasl_auth_soft_bounce smtp_sasl_security_options "
	"smtp_sasl_tls_security_options "
	"smtp_sasl_tls_verified_security_options smtp_send_dummy_mail_auth "
	"smtp_send_xforward_command smtp_skip_4xx_greeting "
	"smtp_skip_5xx_greeting smtp_skip_quit_response "
	"smtp_xforward_timeout tcp_windowsize "},
};
/* clang-format on */

const struct postconf_group *postconf_groups(size_t *count)
{
	*count = COUNT(groups);
	return groups;
}
