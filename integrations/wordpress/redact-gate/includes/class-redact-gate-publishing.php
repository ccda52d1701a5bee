<?php
/**
 * The second gate: nothing is published that shows a file without a pass. A file that has none yet, because it was
 * there before the plugin, was edited or came another way, is judged on the spot.
 *
 * The block editor and the REST interface get an error and the stored post stays as it is; everything else is
 * stored as pending, with a notice.
 *
 * @package redact-gate
 */

/** Judges posts on their way to the public. */
final class Redact_Gate_Publishing {

	const STATES = array( 'publish', 'future' );

	/** Hook in. */
	public static function register(): void {
		add_action( 'rest_api_init', array( __CLASS__, 'rest' ) );
		add_filter( 'wp_insert_post_data', array( __CLASS__, 'store' ), PHP_INT_MAX, 2 );
		add_action( 'publish_future_post', array( __CLASS__, 'scheduled' ), 1 );
		add_action( 'transition_post_status', array( __CLASS__, 'went_out' ), 1, 3 );
		add_filter( 'add_post_metadata', array( __CLASS__, 'featured' ), PHP_INT_MAX, 4 );
		add_filter( 'update_post_metadata', array( __CLASS__, 'featured' ), PHP_INT_MAX, 4 );
		add_action( 'admin_notices', array( __CLASS__, 'notice' ) );
	}

	/** Stand before every kind of post that the REST interface can write. */
	public static function rest(): void {
		foreach ( get_post_types( array( 'show_in_rest' => true ) ) as $type ) {
			if ( 'attachment' !== $type ) {
				add_filter( 'rest_pre_insert_' . $type, array( __CLASS__, 'rest_insert' ), PHP_INT_MAX, 2 );
			}
		}
	}

	/** A post from the REST interface; an error instead of it refuses it. */
	public static function rest_insert( $prepared, $request ) {
		if ( ! is_object( $prepared ) || is_wp_error( $prepared ) ) {
			return $prepared;
		}
		$id     = isset( $prepared->ID ) ? (int) $prepared->ID : 0;
		$status = isset( $prepared->post_status ) ? $prepared->post_status : ( $id ? get_post_status( $id ) : 'draft' );
		if ( ! in_array( $status, self::STATES, true ) ) {
			return $prepared;
		}
		$text    = isset( $prepared->post_content ) ? $prepared->post_content : ( $id ? get_post_field( 'post_content', $id, 'raw' ) : '' );
		$excerpt = isset( $prepared->post_excerpt ) ? $prepared->post_excerpt : '';
		$featured = array( isset( $request['featured_media'] ) ? $request['featured_media'] : 0 );
		$fields   = isset( $request['meta'] ) ? (array) $request['meta'] : array();
		$problem  = self::problem( $id, $text . "\n" . $excerpt, $featured, $fields );
		return '' === $problem ? $prepared : new WP_Error( 'redact_gate', $problem, array( 'status' => 422 ) );
	}

	/** A post on its way into the database; it becomes pending if it must not be published. */
	public static function store( $data, $sent ) {
		$status = isset( $data['post_status'] ) ? $data['post_status'] : '';
		$type   = isset( $data['post_type'] ) ? $data['post_type'] : '';
		if ( ! in_array( $status, self::STATES, true ) || in_array( $type, array( 'attachment', 'revision' ), true ) ) {
			return $data;
		}
		$featured = array( isset( $sent['_thumbnail_id'] ) ? $sent['_thumbnail_id'] : 0 );
		$fields   = isset( $sent['meta_input'] ) ? (array) $sent['meta_input'] : array();
		if ( isset( $fields['_thumbnail_id'] ) ) {
			$featured[] = $fields['_thumbnail_id'];
		}
		$text    = wp_unslash( ( isset( $data['post_content'] ) ? $data['post_content'] : '' ) . "\n" . ( isset( $data['post_excerpt'] ) ? $data['post_excerpt'] : '' ) );
		$problem = self::problem( isset( $sent['ID'] ) ? (int) $sent['ID'] : 0, (string) $text, $featured, $fields );
		if ( '' !== $problem ) {
			$data['post_status'] = 'pending';
			self::tell( $problem );
		}
		return $data;
	}

	/** The time of a scheduled post has come; it is not public yet. */
	public static function scheduled( $post ): void {
		$post = get_post( $post );
		if ( self::is_held( $post, 'future' ) ) {
			self::judge( $post );
		}
	}

	/**
	 * A post went out, perhaps without being stored first, as by `wp_publish_post`: the last net. Its row says
	 * `publish` already, so that is taken back first: if PHP is ended while the post is judged, it is not public.
	 */
	public static function went_out( $new, $old, $post ): void {
		if ( 'publish' !== $new || 'publish' === $old || ! self::is_held( $post, 'publish' ) ) {
			return;
		}
		self::mark( $post, 'publish', 'pending' );
		if ( ! self::judge( $post ) || ! self::mark( $post, 'pending', 'publish' ) ) {
			$post->post_status = 'pending'; // For what else WordPress and others do with this very object.
		}
	}

	private static function is_held( $post, string $status ): bool {
		return is_object( $post ) && $status === $post->post_status && ! in_array( $post->post_type, array( 'attachment', 'revision' ), true );
	}

	/** Whether a post may be public; it is stored as pending if it may not. */
	private static function judge( $post ): bool {
		$problem = self::problem( (int) $post->ID, $post->post_content . "\n" . $post->post_excerpt, array() );
		if ( '' === $problem ) {
			return true;
		}
		wp_update_post(
			array(
				'ID'          => $post->ID,
				'post_status' => 'pending',
			)
		);
		self::tell( $problem );
		return false;
	}

	/**
	 * Change the status in the row alone, past every hook: nobody else need know that a post is being judged.
	 * False if there is no such row any more, because somebody stored the post meanwhile.
	 */
	private static function mark( $post, string $from, string $to ): bool {
		global $wpdb;
		$row  = array(
			'ID'                => $post->ID,
			'post_status'       => $from,
			'post_modified_gmt' => $post->post_modified_gmt,
		);
		$done = $wpdb->update( $wpdb->posts, array( 'post_status' => $to ), $row ); // phpcs:ignore
		clean_post_cache( (int) $post->ID );
		return 1 === $done;
	}

	/** The featured image of a post that is public already; false refuses it. */
	public static function featured( $check, $post, $key, $value ) {
		if ( '_thumbnail_id' !== $key || ! in_array( get_post_status( (int) $post ), self::STATES, true ) ) {
			return $check;
		}
		$problem = self::problem( 0, '', array( $value ) );
		if ( '' === $problem ) {
			return $check;
		}
		self::tell( $problem );
		return false;
	}

	/** Why a post must not be published, or ''. */
	private static function problem( int $post, string $text, array $featured, array $fields = array() ): string {
		try {
			$contents = new Redact_Gate_Contents( $post, $text, $featured, $fields );
			foreach ( array_keys( $contents->attachments ) as $id ) {
				try {
					self::clear_attachment( $id );
				} catch ( Redact_Gate_Refusal $refusal ) {
					/* translators: %d: number of an attachment */
					return sprintf( __( 'Not published. Media file number %d has no pass of redact.', 'redact-gate' ), $id ) . ' ' . $refusal->getMessage();
				}
			}
			foreach ( array_keys( $contents->files ) as $path ) {
				self::clear_file( (string) $path );
			}
			return '';
		} catch ( Redact_Gate_Refusal $refusal ) {
			return __( 'Not published. The text shows a file of the uploads folder that has no pass of redact.', 'redact-gate' ) . ' ' . $refusal->getMessage();
		} catch ( Throwable $fault ) {
			return __( 'Not published. The redact gate met a fault of its own; tell your administrator.', 'redact-gate' );
		}
	}

	/** Every file of an attachment: what it was made from by its pass, and the rest by theirs, unless WordPress made it of that. */
	private static function clear_attachment( int $id ): void {
		$files  = Redact_Gate_Sizes::files( $id );
		$source = (string) array_shift( $files );
		if ( ! is_file( $source ) || ! is_file( (string) get_attached_file( $id ) ) ) {
			throw new Redact_Gate_Refusal( __( 'Its file is not on this server, so it cannot be checked.', 'redact-gate' ) );
		}
		if ( ! Redact_Gate_Uploads::is_media( $source, $source, (string) get_post_mime_type( $id ) ) ) {
			return;
		}
		$digest = (string) hash_file( 'sha256', $source );
		if ( ! Redact_Gate_Passes::has( $id, $digest ) ) {
			$digest = Redact_Gate_Passes::is_fresh( $digest ) ? $digest : ( new Redact_Gate_Client() )->check( $source );
			Redact_Gate_Passes::remember( $digest );
			Redact_Gate_Passes::record( $id, $digest );
		}
		$made = Redact_Gate_Sizes::made( $id, $digest );
		foreach ( array_filter( $files, 'is_file' ) as $path ) {
			$digest = (string) hash_file( 'sha256', $path );
			if ( ! in_array( $digest, $made, true ) ) {
				self::clear_size( $path );
			}
			if ( get_attached_file( $id ) === $path ) {
				$made = array_merge( $made, Redact_Gate_Sizes::made( $id, $digest ) ); // The sizes of a crop.
			}
		}
	}

	/** A file that is listed as a size of an attachment, but that WordPress did not make of what passed. */
	private static function clear_size( string $path ): void {
		try {
			self::clear_file( $path );
		} catch ( Redact_Gate_Refusal $refusal ) {
			$remedy = __( 'This is about one of its smaller sizes, which WordPress did not make from the file that passed. Have its sizes made anew (wp media regenerate), or upload the file again.', 'redact-gate' );
			throw new Redact_Gate_Refusal( $refusal->getMessage() . ' ' . $remedy );
		}
	}

	private static function clear_file( string $path ): void {
		if ( '' === $path ) {
			throw new Redact_Gate_Refusal( __( 'The file is not there.', 'redact-gate' ) );
		}
		if ( ! Redact_Gate_Uploads::is_media( $path, $path, '' ) ) {
			return;
		}
		$digest = (string) hash_file( 'sha256', $path );
		$memory = 'redact_gate_pass_' . substr( hash_hmac( 'sha256', $digest, wp_salt( 'auth' ) ), 0, 32 );
		if ( ! Redact_Gate_Passes::is_fresh( $digest ) && 'passed' !== get_transient( $memory ) ) {
			( new Redact_Gate_Client() )->check( $path );
			Redact_Gate_Passes::remember( $digest );
			set_transient( $memory, 'passed', 30 * DAY_IN_SECONDS );
		}
	}

	private static function tell( string $problem ): void {
		if ( get_current_user_id() ) {
			set_transient( 'redact_gate_notice_' . get_current_user_id(), $problem, HOUR_IN_SECONDS );
		}
	}

	/** Show the user why a post is pending. */
	public static function notice(): void {
		$memory  = 'redact_gate_notice_' . get_current_user_id();
		$problem = get_transient( $memory );
		if ( is_string( $problem ) ) {
			delete_transient( $memory );
			echo '<div class="notice notice-error is-dismissible"><p>' . esc_html( $problem ) . '</p></div>';
		}
	}
}
