<?php
/**
 * The plugin without WordPress: the functions that it calls, over a site that is a JSON file. The plugin's own code
 * and its requests to the service are the real ones. A command comes on standard input, its outcome goes out as JSON.
 *
 * Usage: php harness.php PLUGIN SITE.json
 */

error_reporting( E_ALL );
set_error_handler(
	function ( $level, $text ) {
		if ( error_reporting() & $level ) {
			throw new ErrorException( $text );
		}
	}
);

define( 'ABSPATH', '/' );
define( 'DAY_IN_SECONDS', 86400 );
define( 'HOUR_IN_SECONDS', 3600 );

$site    = json_decode( file_get_contents( $argv[2] ), true );
$command = json_decode( stream_get_contents( STDIN ), true );
$hooks   = array();
foreach ( $command['ini'] ?? array() as $name => $value ) {
	ini_set( $name, $value );
}
foreach ( isset( $command['constants'] ) ? $command['constants'] : array() as $name => $value ) {
	define( $name, $value );
}

class WP_Error {
	public $code, $message, $data;
	public function __construct( $code, $message, $data ) {
		list( $this->code, $this->message, $this->data ) = array( $code, $message, $data );
	}
}

function is_wp_error( $thing ) {
	return $thing instanceof WP_Error; }
function add_filter( $name, $function, $priority = 10, $count = 1 ) {
	$GLOBALS['hooks'][ $name ][] = array( $priority, $function, $count );
	usort( $GLOBALS['hooks'][ $name ], fn( $a, $b ) => $a[0] <=> $b[0] );
}
function add_action( ...$hook ) {
	add_filter( ...$hook ); }
function apply_filters( $name, $value, ...$more ) {
	foreach ( isset( $GLOBALS['hooks'][ $name ] ) ? $GLOBALS['hooks'][ $name ] : array() as $hook ) {
		$value = call_user_func_array( $hook[1], array_slice( array_merge( array( $value ), $more ), 0, $hook[2] ) );
	}
	return $value;
}
function do_action( $name, ...$more ) {
	foreach ( isset( $GLOBALS['hooks'][ $name ] ) ? $GLOBALS['hooks'][ $name ] : array() as $hook ) {
		call_user_func_array( $hook[1], array_slice( $more, 0, $hook[2] ) );
	}
}
function __( $text ) {
	return $text; }
function esc_html__( $text ) {
	return esc_html( $text ); }
function esc_html( $text ) {
	return htmlspecialchars( (string) $text, ENT_QUOTES ); }
function esc_attr( $text ) {
	return esc_html( $text ); }
function wp_salt() {
	return 'the salt of a site that is thrown away'; }
function wp_parse_url( $url, $part = -1 ) {
	return parse_url( $url, $part ); }
function wp_json_encode( $value ) {
	return json_encode( $value ); }
function wp_unslash( $text ) {
	return stripslashes( $text ); }
function get_temp_dir() {
	return sys_get_temp_dir() . '/'; }
function get_current_user_id() {
	return 1; }
function current_user_can() {
	return true; }
function get_option( $name, $other = false ) {
	return $GLOBALS['site']['options'][ $name ] ?? $other; }
function get_transient( $name ) {
	return $GLOBALS['site']['transients'][ $name ] ?? false; }
function set_transient( $name, $value ) {
	$GLOBALS['site']['transients'][ $name ] = $value; }
function delete_transient( $name ) {
	unset( $GLOBALS['site']['transients'][ $name ] ); }
function wp_get_mime_types() {
	return array( 'jpg' => 'image/jpeg', 'webp' => 'image/webp', 'heic' => 'image/heic', 'mp4' => 'video/mp4', 'pdf' => 'application/pdf' ); }
function wp_check_filetype( $name, $types ) {
	return array( 'type' => $types[ strtolower( pathinfo( $name, PATHINFO_EXTENSION ) ) ] ?? false ); }
function wp_get_upload_dir() {
	return array( 'basedir' => $GLOBALS['site']['uploads'], 'baseurl' => 'https://news.example/wp-content/uploads' ); }

function post( $id ) {
	return $GLOBALS['site']['posts'][ (string) $id ] ?? null; }
function get_post( $post ) {
	return is_object( $post ) ? $post : ( post( $post ) ? (object) ( post( $post ) + array( 'ID' => (int) $post, 'post_excerpt' => '', 'post_modified_gmt' => '2024-01-01 00:00:00' ) ) : null ); }
function get_post_type( $id ) {
	return post( $id )['post_type'] ?? false; }
function get_post_status( $id ) {
	return post( $id )['post_status'] ?? false; }
function get_post_mime_type( $id ) {
	return post( $id )['mime'] ?? false; }
function get_post_field( $field, $id ) {
	return post( $id )[ $field ] ?? ''; }
function get_attached_file( $id ) {
	if ( isset( post( $id )['ends'] ) ) {
		exit( '{"ended":true}' ); // As PHP is by a limit of its own or of the web server.
	}
	foreach ( post( $id )['meanwhile'] ?? array() as $other => $change ) {
		$GLOBALS['site']['posts'][ $other ] = $change + post( $other );
	}
	return post( $id )['file'] ?? false;
}
function wp_get_attachment_metadata( $id ) {
	return post( $id )['metadata'] ?? false; }
function get_posts( $query ) {
	$children = array_filter( $GLOBALS['site']['posts'] ?? array(), fn( $post ) => ( $post['post_parent'] ?? 0 ) === $query['post_parent'] );
	return array_map( 'intval', array_keys( $children ) );
}
function get_post_types() {
	return array( 'post', 'page', 'attachment' ); }
function get_post_meta( $id, $key = '' ) {
	$meta = post( $id )['meta'] ?? array();
	return '' === $key ? array_map( fn( $value ) => array( $value ), $meta ) : ( $meta[ $key ] ?? '' );
}
function update_post_meta( $id, $key, $value ) {
	if ( null === apply_filters( 'update_post_metadata', null, $id, $key, $value ) ) {
		$GLOBALS['site']['posts'][ (string) $id ]['meta'][ $key ] = $value;
	}
}
function attachment_url_to_postid( $url ) {
	$dir = wp_get_upload_dir();
	foreach ( $GLOBALS['site']['posts'] ?? array() as $id => $post ) {
		// Databases take names for one that differ in case or accents.
		if ( isset( $post['file'] ) && 0 === strcasecmp( $dir['baseurl'] . substr( $post['file'], strlen( $dir['basedir'] ) ), $url ) ) {
			return (int) $id;
		}
	}
	return 0;
}
function wp_update_post( $post ) {
	$GLOBALS['site']['posts'][ (string) $post['ID'] ] = $post + post( $post['ID'] ); }
function clean_post_cache() {}
class Database {
	public $posts = 'posts';
	public function update( $table, $values, $where ) {
		$row = (array) get_post( $where['ID'] );
		if ( array_intersect_key( $row, $where ) != $where ) {
			return 0;
		}
		$GLOBALS['site']['posts'][ (string) $where['ID'] ] = $values + post( $where['ID'] );
		return 1;
	}
}
$wpdb = new Database();
function register_setting() {}
function add_options_page() {}
function settings_fields() {}
function submit_button() {}
function add_settings_error( $setting, $code, $message ) {
	$GLOBALS['complaints'][] = $message; }

function run( $command ) {
	switch ( $command['do'] ) {
		case 'upload':
			$file = array( 'name' => $command['name'], 'type' => '', 'tmp_name' => $command['path'], 'error' => 0, 'size' => filesize( $command['path'] ) );
			$file = apply_filters( $command['hook'] ?? 'wp_handle_upload_prefilter', $file );
			if ( empty( $file['error'] ) && isset( $command['id'] ) ) {
				$GLOBALS['site']['posts'][ (string) $command['id'] ] = array( 'post_type' => 'attachment', 'post_status' => 'inherit', 'file' => $command['path'], 'mime' => 'image/jpeg' );
				do_action( 'add_attachment', $command['id'] );
			}
			return $file;
		case 'bits':
			$upload = apply_filters( 'wp_upload_bits', array( 'name' => $command['name'], 'bits' => file_get_contents( $command['path'] ), 'time' => null ) );
			return is_array( $upload ) ? array() : array( 'error' => $upload );
		case 'store':
			return apply_filters( 'wp_insert_post_data', $command['data'] + array( 'post_type' => 'post' ), $command['sent'] ?? array() );
		case 'contents':
			// What texts show: attachments by number, files by name, '' for what leads nowhere.
			$show = function ( $text ) {
				$found = new Redact_Gate_Contents( 0, $text, array() );
				$base  = realpath( $GLOBALS['site']['uploads'] ) . '/';
				$files = array_map( fn( $path ) => str_replace( $base, '', $path ), array_keys( $found->files ) );
				return array_merge( array_keys( $found->attachments ), $files );
			};
			return array( 'shown' => array_map( $show, $command['texts'] ) );
		case 'rest':
			do_action( 'rest_api_init' );
			return apply_filters( 'rest_pre_insert_post', (object) $command['post'], $command['request'] ?? array() );
		case 'publish':
			do_action( 'publish_future_post', $command['id'] );
			if ( 'future' === get_post_status( $command['id'] ) ) {
				$GLOBALS['site']['posts'][ (string) $command['id'] ]['post_status'] = 'publish';
				do_action( 'transition_post_status', 'publish', 'future', get_post( $command['id'] ) );
			}
			return array( 'status' => get_post_status( $command['id'] ) );
		case 'publish_now':
			$post = get_post( $command['id'] );
			$old  = $post->post_status;
			$wpdb = $GLOBALS['wpdb'];
			add_action(
				'transition_post_status',
				function ( $new, $old, $post ) {
					$GLOBALS['site']['told'] = $post->post_status;
				},
				99,
				3
			);
			$wpdb->update( 'posts', array( 'post_status' => 'publish' ), array( 'ID' => $post->ID ) );
			$post->post_status = 'publish';
			do_action( 'transition_post_status', 'publish', $old, $post );
			return array( 'status' => get_post_status( $post->ID ), 'told' => $GLOBALS['site']['told'] );
		case 'sizes':
			// What WordPress does after an upload: its image editor writes files, and the attachment lists them.
			$folder   = dirname( post( $command['id'] )['file'] ) . '/';
			$metadata = $command['metadata'];
			$edit     = 'edit' === ( $command['context'] ?? '' );
			if ( $edit ) {
				apply_filters( 'wp_save_image_editor_file', null, $folder . $metadata['file'], null, '', $command['id'] );
			}
			foreach ( $command['writes'] as $name => $content ) {
				file_put_contents( $folder . $name, base64_decode( $content ) );
				apply_filters( 'image_make_intermediate_size', $folder . $name );
			}
			if ( $edit || isset( $metadata['original_image'] ) ) {
				$GLOBALS['site']['posts'][ (string) $command['id'] ]['file'] = $folder . $metadata['file'];
			}
			$GLOBALS['site']['posts'][ (string) $command['id'] ]['metadata'] = $edit
				? apply_filters( 'wp_update_attachment_metadata', $metadata, $command['id'] )
				: apply_filters( 'wp_generate_attachment_metadata', $metadata, $command['id'], $command['context'] ?? 'create' );
			return array();
		case 'feature':
			update_post_meta( $command['id'], '_thumbnail_id', $command['value'] );
			return array( 'featured' => get_post_meta( $command['id'], '_thumbnail_id' ) );
		case 'settings':
			$GLOBALS['complaints']                       = array();
			$GLOBALS['site']['options']['redact_gate'] = Redact_Gate_Settings::sanitize( $command['sent'] );
			ob_start();
			Redact_Gate_Settings::page();
			do_action( 'admin_notices' );
			return array( 'page' => ob_get_clean(), 'stored' => get_option( 'redact_gate' ), 'complaints' => $GLOBALS['complaints'] );
	}
}

register_shutdown_function( fn() => file_put_contents( $argv[2], json_encode( $GLOBALS['site'] ) ) );
require $argv[1] . '/redact-gate.php';
echo json_encode( run( $command ) );
